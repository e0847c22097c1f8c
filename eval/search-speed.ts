// npm run eval:speed [-- COUNT]: what searching costs a running gateway that has so many tools (10,000).
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { uuidv7 } from '#kernel/ids'
import type { Logger } from '#kernel/logger'
import { openRegistry } from '#registry/registry'
import { openStorage } from '#storage/open-storage'
import { registerServer, type Tool } from './tool-set.ts'

const ROOT = join(import.meta.dirname, '..')
const SHARED = join(ROOT, '../shared/data')
const COUNT = Number(process.argv[2] ?? 10_000)
const SERVERS = 100
const DATA = join(ROOT, `.cache/speed-${COUNT}`)
const log: Logger = { debug() {}, info() {}, warn: console.error, error: console.error }

interface Answer {
  readonly parts: readonly string[]
  readonly cached: boolean
  readonly vectors: { readonly known: number; readonly wanted: number } | null
}

/** The tools of all lists, again until there are enough, dealt out to some servers. */
function someTools(): Tool[] {
  const real = readdirSync(join(SHARED, 'real-tools')).flatMap((file) => {
    const read = JSON.parse(readFileSync(join(SHARED, 'real-tools', file), 'utf8')) as Tool[] | { tools: Tool[] }
    return (Array.isArray(read) ? read : read.tools).map((tool) => ({ ...tool, server: file.replace('.json', '') }))
  })
  const sets = readdirSync(join(SHARED, 'toolsearch')).flatMap((set) =>
    lines<Tool>(join(SHARED, 'toolsearch', set, 'tools.jsonl')),
  )
  const all = [...real, ...sets]
  return Array.from({ length: COUNT }, (_, index) => {
    const tool = all[index % all.length] as Tool
    const round = Math.floor(index / all.length)
    return {
      ...tool,
      server: `server ${index % SERVERS}`,
      name: `${tool.name}_${index}`,
      description: `${tool.description} ${round}`,
    }
  })
}

function lines<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

function someQueries(): string[] {
  const all = readdirSync(join(SHARED, 'toolsearch')).flatMap((set) =>
    lines<{ text: string }>(join(SHARED, 'toolsearch', set, 'queries.jsonl')).map(({ text }) => text),
  )
  return all.filter((_, index) => index % 3 === 0)
}

/** A data dir whose servers are known and never started. */
async function fill(): Promise<void> {
  mkdirSync(DATA, { recursive: true })
  const storage = await openStorage({ kind: 'sqlite', path: join(DATA, 'metamcp.db') }, { log, now: Date.now })
  const registry = await openRegistry({ stores: storage.registry, now: Date.now, newId: uuidv7 })
  for (const [server, own] of Map.groupBy(someTools(), (tool) => tool.server))
    await registerServer(registry, server, own)
  await storage[Symbol.asyncDispose]()
}

interface Gateway {
  readonly url: string
  readonly listenedAt: number
  search(query: string, mode?: string): Promise<{ readonly ms: number; readonly answer: Answer }>
  rssMb(): number
  loop(): Promise<{ readonly maxMs: number; readonly p99Ms: number }>
  stop(): Promise<void>
}

async function start(embedder: string): Promise<Gateway> {
  const watchFile = join(DATA, 'loop.json')
  const args = ['--import', join(import.meta.dirname, 'loop-watch.js'), join(ROOT, 'bin/metamcp.js')]
  const env = {
    ...process.env,
    LOOP_WATCH_FILE: watchFile,
    META_MCP_SEARCH_EMBEDDER: embedder,
    META_MCP_LOGGING_LEVEL: 'ERROR',
    META_MCP_ANONYMOUS_ROLE: 'admin',
  }
  const child = spawn(process.execPath, [...args, 'serve', '--port', '0', '--data-dir', DATA], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const url = await new Promise<string>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) => resolve((JSON.parse(chunk.toString()) as { url: string }).url))
  })
  return {
    url,
    listenedAt: performance.now(),
    async search(query, mode = 'hybrid') {
      const startedAt = performance.now()
      const body = JSON.stringify({ query, search_type: mode, max_results: 10 })
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${url}/api/v1/tools/search`, { method: 'POST', headers, body })
      const text = await response.text()
      if (response.status !== 200) throw new Error(text)
      return { ms: performance.now() - startedAt, answer: JSON.parse(text) as Answer }
    },
    rssMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    async loop() {
      rmSync(watchFile, { force: true })
      child.kill('SIGUSR2')
      while (!existsSync(watchFile)) await setTimeout(5)
      await setTimeout(5)
      return JSON.parse(readFileSync(watchFile, 'utf8')) as { maxMs: number; p99Ms: number }
    },
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function share(times: readonly number[], part: number): string {
  return (times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? Number.NaN).toFixed(1)
}

async function measure(gateway: Gateway, name: string, mode: string): Promise<void> {
  const times: number[] = []
  const parts = new Map<string, number>()
  for (const query of someQueries()) {
    const { ms, answer } = await gateway.search(query, mode)
    times.push(ms)
    parts.set(answer.parts.join('+'), (parts.get(answer.parts.join('+')) ?? 0) + 1)
  }
  const { maxMs } = await gateway.loop()
  const tiers = [...parts].map(([tiersUsed, count]) => `${tiersUsed} ${count}`).join(', ')
  console.log(
    `| ${name} | ${share(times, 0.5)} | ${share(times, 0.95)} | ${share(times, 0.999)} | ${maxMs.toFixed(1)} | ${tiers} |`,
  )
}

const HEAD =
  '| search | p50 ms | p95 ms | max ms | loop held at most, ms | tiers |\n| --- | --- | --- | --- | --- | --- |'

async function instant(): Promise<void> {
  rmSync(join(DATA, 'search-index'), { force: true })
  const gateway = await start('static')
  await gateway.loop()
  const first = await gateway.search('read a file')
  console.log(
    `first search of what was never indexed, after listening: ${first.ms.toFixed(0)} ms (${first.answer.parts.join('+')}), loop held ${(await gateway.loop()).maxMs.toFixed(1)} ms\n`,
  )
  await measure(gateway, 'warm-up', 'hybrid')
  console.log(HEAD)
  await measure(gateway, 'keyword', 'keyword')
  await measure(gateway, 'instant hybrid (semantic)', 'semantic')
  await gateway.stop()
  const fresh = await start('static')
  await fresh.loop()
  await setTimeout(1000)
  const later = await fresh.search('read a file')
  console.log(
    `\nfirst search a second after listening: ${later.ms.toFixed(0)} ms, loop held since the start ${(await fresh.loop()).maxMs.toFixed(1)} ms\n`,
  )
  console.log(HEAD)
  await measure(fresh, 'instant hybrid', 'hybrid')
  await measure(fresh, 'repeated', 'hybrid')
  const list = (await (await fetch(`${fresh.url}/api/v1/tools?limit=1&offset=17`)).json()) as {
    tools: { name: string }[]
  }
  const name = list.tools[0]?.name ?? ''
  await fresh.loop()
  const startedAt = performance.now()
  await fetch(`${fresh.url}/api/v1/tools/${encodeURIComponent(name)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ description: `zarfblat ${startedAt}` }),
  })
  await fresh.search('zarfblat', 'keyword')
  console.log(
    `\none changed tool is found again after ${(performance.now() - startedAt).toFixed(0)} ms, loop held ${(await fresh.loop()).maxMs.toFixed(1)} ms`,
  )
  console.log(`RSS without the model: ${fresh.rssMb().toFixed(0)} MB\n`)
  await fresh.stop()
}

async function full(): Promise<void> {
  const learning = await start('minilm')
  await learning.loop()
  for (;;) {
    const { answer } = await learning.search(`tool ${performance.now()}`, 'keyword')
    if (answer.vectors && answer.vectors.known >= answer.vectors.wanted) break
    await setTimeout(500)
  }
  console.log(`indexing: loop held ${(await learning.loop()).maxMs.toFixed(1)} ms`)
  await learning.stop()
  const gateway = await start('minilm')
  await gateway.loop()
  let query = 0
  while (!(await gateway.search(`read a file ${(query += 1)}`)).answer.parts.includes('neural')) await setTimeout(20)
  console.log(
    `full hybrid ${(performance.now() - gateway.listenedAt).toFixed(0)} ms after listening; loop held ${(await gateway.loop()).maxMs.toFixed(1)} ms\n`,
  )
  console.log(HEAD)
  await measure(gateway, 'full hybrid', 'hybrid')
  console.log(`\nRSS with the model: ${gateway.rssMb().toFixed(0)} MB`)
  await gateway.stop()
}

if (!existsSync(join(DATA, 'metamcp.db'))) await fill()
// The client's own first steps are not the gateway's.
await fetch('data:,')
await instant()
if (process.argv[3] !== 'instant') await full()
