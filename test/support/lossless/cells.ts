import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startFixture } from '../fixture/start-fixture.ts'
import { realServers } from '../real-servers.ts'
import { startTestApp } from '../test-app.ts'
import { until } from '../until.ts'
import { comparable, runOf, type Cell } from './compare.ts'
import { bridgePipe, httpPipe, ssePipe, stdioPipe, type Command, type Pipe } from './pipes.ts'
import { connectPeer, type Era, type Exchange, type Peer } from './raw-peer.ts'
import { AT_BEGIN, everything, filesystem, fixture, memory, verbatim } from './scripts.ts'
import type { Script, Step } from './steps.ts'
import { startVerbatim } from './verbatim.ts'
import { freePort } from '../free-port.ts'

/** Where a server is: a command, or an address. */
type Endpoint = Command | { readonly url: string; readonly type?: 'sse' }

/** A server that is compared with itself behind the gateway. */
export interface Subject {
  readonly name: string
  readonly era: Era
  readonly script: Script
  readonly ignores?: Cell['ignores']
  /** Starts one, or says how to; what it starts ends with the stack. */
  start(directory: string, cleanup: AsyncDisposableStack): Promise<Endpoint>
}

const SUPPORT = join(import.meta.dirname, '..')
const node = (...args: string[]): Command => ({ command: process.execPath, args })

const eras: readonly Era[] = ['legacy', 'modern']
/** Those that have tasks. */
export const taskSubjects = (): readonly Subject[] => subjects.filter(({ script }) => script === everything)

const everythingIs = { script: everything, ignores: AT_BEGIN, era: 'legacy' as const }

export const subjects: readonly Subject[] = [
  {
    ...everythingIs,
    name: 'everything-stdio',
    start: async () => ({ ...realServers.everything(), env: { LOSSLESS: 'é "1.0"' } }),
  },
  { ...everythingIs, name: 'everything-http', start: async (_, cleanup) => everythingOver('streamableHttp', cleanup) },
  { ...everythingIs, name: 'everything-sse', start: async (_, cleanup) => everythingOver('sse', cleanup) },
  {
    name: 'filesystem',
    era: 'legacy',
    script: filesystem,
    ignores: AT_BEGIN,
    start: async (directory) => realServers.files(directory),
  },
  {
    name: 'memory',
    era: 'legacy',
    script: memory,
    start: async (directory) => realServers.memory(join(directory, 'memory.jsonl')),
  },
  ...eras.flatMap((era): Subject[] => [
    {
      name: `fixture-http-${era}`,
      era,
      script: fixture,
      start: async (_, cleanup) => ({ url: cleanup.use(await startFixture({ era })).url }),
    },
    {
      name: `fixture-stdio-${era}`,
      era,
      script: fixture,
      start: async () => node(join(SUPPORT, 'fixture/main.ts'), '--transport', 'stdio', '--era', era),
    },
    {
      name: `verbatim-http-${era}`,
      era,
      script: verbatim,
      start: async (_, cleanup) => ({ url: cleanup.use(await startVerbatim(era)).url }),
    },
    {
      name: `verbatim-stdio-${era}`,
      era,
      script: verbatim,
      start: async () => node(join(SUPPORT, 'lossless/verbatim.ts'), era),
    },
  ]),
]

async function everythingOver(transport: 'streamableHttp' | 'sse', cleanup: AsyncDisposableStack): Promise<Endpoint> {
  const port = await freePort()
  const [program = ''] = realServers.everything().args
  const env = { ...process.env, PORT: String(port), LOSSLESS: 'é "1.0"' }
  const child = spawn(process.execPath, [program, transport], { env, stdio: 'ignore' })
  cleanup.defer(async () => {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  })
  const origin = `http://127.0.0.1:${port}`
  await until(`everything over ${transport}`, () =>
    fetch(origin).then(
      () => true,
      () => false,
    ),
  )
  return transport === 'sse' ? { url: `${origin}/sse`, type: 'sse' } : { url: `${origin}/mcp` }
}

export interface Difference {
  readonly where: string
  readonly request: string
  readonly direct: string
  readonly through: string
}

export interface Comparison {
  readonly exchanges: number
  readonly differences: readonly Difference[]
}

/** The script once direct, then through a gateway that has the server without a prefix and with one, in both client eras. */
export async function compareSubject(subject: Subject, root: string): Promise<Comparison> {
  await using cleanup = new AsyncDisposableStack()
  const plain = join(root, `${subject.name}-plain`)
  const named = join(root, `${subject.name}-named`)
  for (const directory of [plain, named]) await prepare(directory)
  const app = cleanup.use(
    await startTestApp({
      file: {
        servers: {
          plain: { ...(await subject.start(plain, cleanup)), prefix: '' },
          named: { ...(await subject.start(named, cleanup)), prefix: 'pre' },
        },
        namespaces: { plain: { servers: ['plain'] }, named: { servers: ['named'] } },
      },
    }),
  )
  const baseline = await directly(subject, join(root, `${subject.name}-direct`))
  await online(app.listening.url)
  const behind = async (namespace: string, directory: string, prefix: string): Promise<Comparison[]> => {
    const url = `${app.listening.url}/mcp/${namespace}`
    const modern = httpPipe(url, { listen: false })
    const first = await through(subject, baseline, { pipe: modern, client: 'modern', directory, prefix })
    const legacy = httpPipe(url, { listen: true })
    return [first, await through(subject, baseline, { pipe: legacy, client: 'legacy', directory, prefix })]
  }
  return sum((await Promise.all([behind('plain', plain, ''), behind('named', named, 'pre')])).flat())
}

/** The same through the gateway's other doors: HTTP+SSE, and stdio, in which it is a server for one client alone. */
export async function compareDoors(subject: Subject, root: string): Promise<Comparison> {
  await using cleanup = new AsyncDisposableStack()
  const directory = join(root, `${subject.name}-doors`)
  await prepare(directory)
  const only = { ...(await subject.start(directory, cleanup)), prefix: '' }
  const app = cleanup.use(await startTestApp({ file: { servers: { only } } }))
  const baseline = await directly(subject, join(root, `${subject.name}-direct`))
  await online(app.listening.url)
  const { url, mcp } = app.listening
  const doors: (() => Pipe | Promise<Pipe>)[] = [
    () => ssePipe(`${url}/sse`),
    () => bridgePipe(mcp),
    () => bridgePipe(mcp),
  ]
  const comparisons: Comparison[] = []
  for (const [index, open] of doors.entries()) {
    const client = index === 2 ? 'modern' : 'legacy'
    comparisons.push(await through(subject, baseline, { pipe: await open(), client, directory, prefix: '' }))
  }
  return sum(comparisons)
}

interface Way {
  readonly pipe: Pipe
  readonly client: Era
  readonly directory: string
  readonly prefix: string
}

export async function through(
  subject: Subject,
  baseline: Run,
  { pipe, client, directory, prefix }: Way,
): Promise<Comparison> {
  await using open = pipe
  const ignores = subject.ignores ?? []
  const cell: Cell = { client, performer: client, server: subject.era, prefix, directory, ignores }
  const run = await perform(subject.script, open, cell)
  return compareRuns(`${subject.name}, ${client} client over ${pipe.kind}, prefix "${prefix}"`, baseline, run, cell)
}

export function sum(comparisons: readonly Comparison[]): Comparison {
  return {
    exchanges: comparisons.reduce((all, { exchanges }) => all + exchanges, 0),
    differences: comparisons.flatMap(({ differences }) => differences),
  }
}

export async function online(url: string): Promise<void> {
  await until('all servers online', async () => {
    const answer = await fetch(`${url}/api/v1/proxy/servers`)
    const { servers } = (await answer.json()) as { servers: { status: string }[] }
    return servers.every(({ status }) => status === 'online')
  })
}

/** What each step of the script brought; none where an era has no words for it. */
type Run = readonly ({ readonly step: Step; readonly exchange: Exchange; readonly cell: Cell } | undefined)[]

export async function directly(subject: Subject, directory: string): Promise<Run> {
  await using cleanup = new AsyncDisposableStack()
  await prepare(directory)
  const endpoint = await subject.start(directory, cleanup)
  const { era } = subject
  const pipe = cleanup.use(await pipeTo(endpoint, era))
  const cell: Cell = { client: era, performer: era, server: era, prefix: '', directory, ignores: subject.ignores ?? [] }
  return await perform(subject.script, pipe, cell)
}

export async function pipeTo(endpoint: Endpoint, era: Era): Promise<Pipe> {
  if ('command' in endpoint) return stdioPipe(endpoint)
  return endpoint.type === 'sse' ? ssePipe(endpoint.url) : httpPipe(endpoint.url, { listen: era === 'legacy' })
}

async function perform(script: Script, pipe: Pipe, cell: Cell): Promise<Run> {
  await prepare(cell.directory)
  const peer = await connectPeer(pipe, cell.client, pathToFileURL(cell.directory).href)
  const name = (original: string): string =>
    JSON.stringify(cell.prefix === '' ? original : `${cell.prefix}__${original}`)
  const steps = script({ name, directory: cell.directory, run: runOf(cell) })
  if (cell.client === 'modern' && steps.some(({ awaits }) => awaits)) await listen(peer, steps)
  // What a modern request claims for itself, a legacy client says once.
  if (cell.client === 'legacy' && cell.server === 'modern') await peer.request('logging/setLevel', '"level":"debug"')
  const run: Run[number][] = []
  for (const step of steps) {
    const isHere = isForCell(step, cell)
    run.push(isHere ? { step, exchange: await peer.request(step.method, step.params, step), cell } : undefined)
  }
  return run
}

/** What the file system tool server finds, every time anew. */
export async function prepare(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  // Emptied and never gone: a server that starts at this moment refuses a directory that is not there.
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true })
  await writeFile(join(directory, 'big.txt'), 'é"\\\n'.repeat(200_000))
  await writeFile(join(directory, 'dot.png'), 'not really')
  await cp(join(directory, 'dot.png'), join(directory, 'beep.wav'))
}

/** A modern client says once what it wants to hear of; a legacy one subscribes on its way. */
async function listen(peer: Peer, steps: readonly Step[]): Promise<void> {
  const uris = steps.flatMap(({ method, params, only }) =>
    method === 'resources/subscribe' && !only ? [params.replace('"uri":', '')] : [],
  )
  const kinds = '"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true'
  await peer.listen(`{${kinds}${uris.length > 0 ? `,"resourceSubscriptions":[${uris.join(',')}]` : ''}}`)
}

function isForCell({ only, method }: Step, { client, server }: Cell): boolean {
  if (only === 'legacy') return client === 'legacy' && server === 'legacy'
  return method !== 'resources/subscribe' || client === 'legacy'
}

function compareRuns(where: string, direct: Run, through: Run, cell: Cell): Comparison {
  const differences: Difference[] = []
  let exchanges = 0
  for (const [index, there] of through.entries()) {
    const here = direct[index]
    if (!here || !there) continue
    exchanges += 1
    const a = comparable(here.exchange, here.step, { ...here.cell, client: cell.client })
    const b = comparable(there.exchange, there.step, cell)
    if (a !== b) differences.push({ where, request: describe(there.step), direct: a, through: b })
  }
  return { exchanges, differences }
}

function describe({ method, params, id = '1', meta = '' }: Step): string {
  return `${method} ${params.slice(0, 200)} id=${id.slice(0, 40)} meta=${meta.slice(0, 40)}`
}
