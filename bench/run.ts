// npm run bench [-- --quick] [-- --write]: direct, a bare proxy and the gateway in one interleaved run. See README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { canMeasureCpu, canPin, residentMb } from './processes.ts'
import { barTable, cpuRatio, isHeld, loadTable, median, show, withinRounds, type Bar } from './report.ts'
import {
  firstCorrectCall,
  isGatewayBuilt,
  listResult,
  scratch,
  startBareProxy,
  startBufferServer,
  startGateway,
  startUpstream,
  type Target,
} from './targets.ts'
import { measure, warmUp, type LoadOptions, type Window } from './windows.ts'

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
})
const CALL_TOOLS = 10
const LIST_TOOLS = 1000
const LIST_CONNECTIONS = 8
const STDIO_SERVERS = 20
const BUDGET_MS = flags.quick ? 45_000 : 200_000

const startedAt = performance.now()
const base = flags.quick
  ? { rounds: 2, warmSeconds: 0.2, seconds: 0.6, deadline: startedAt + BUDGET_MS }
  : { rounds: 12, warmSeconds: 0.2, seconds: 0.6, deadline: startedAt + BUDGET_MS }
const warmSeconds = flags.quick ? 1 : 3

async function measureCalls(): Promise<Window[]> {
  using folder = scratch()
  await using stack = new AsyncDisposableStack()
  const targets = await startTargets(stack, folder.path, CALL_TOOLS)
  const options: LoadOptions = { ...base, mode: 'call', connections: [1, 16, 64] }
  await warmUp(targets, options, warmSeconds)
  // `await` here: the targets stop when this function is left.
  return await measure(targets, options)
}

async function measureLists(): Promise<Window[]> {
  using folder = scratch()
  await using stack = new AsyncDisposableStack()
  const all = await startTargets(stack, folder.path, LIST_TOOLS)
  const targets = all.filter(({ name }) => name !== 'direct')
  const file = join(folder.path, 'list.json')
  writeFileSync(file, await listResult(all.at(-1)!))
  targets.push(started(stack, await startBufferServer(file)))
  const options: LoadOptions = { ...base, mode: 'list', connections: [LIST_CONNECTIONS] }
  await warmUp(targets, options, warmSeconds / 2)
  // `await` here: the targets stop when this function is left.
  return await measure(targets, options)
}

/** Direct, bare proxy and, when it is built, the gateway, each in front of the same upstream and ready. */
async function startTargets(stack: AsyncDisposableStack, folder: string, tools: number): Promise<Target[]> {
  const upstream = started(stack, await startUpstream(tools))
  const targets = [upstream, started(stack, await startBareProxy(upstream))]
  if (isGatewayBuilt) {
    const servers = { bench: { url: upstream.url.href, prefix: 'bench' } }
    targets.push(started(stack, await startGateway(folder, servers, { core: 'measured' })))
  }
  for (const target of targets) await firstCorrectCall(target, tools)
  return targets
}

function started<T extends Target>(stack: AsyncDisposableStack, target: T): T {
  if (target.process !== undefined) stack.use(target.process)
  return target
}

/** Seconds from the start of the process to a first correct call, with servers whose tools are known from the last run; and its memory. */
async function measureStart(): Promise<{ seconds: number; residentMb: number }> {
  using folder = scratch()
  const command = { command: process.execPath }
  const file = join(import.meta.dirname, 'stdio-upstream.ts')
  const names = Array.from({ length: STDIO_SERVERS }, (_, i) => `s${i + 1}`)
  const servers = Object.fromEntries(
    names.map((name) => [name, { ...command, args: [file, name, String(CALL_TOOLS)] }]),
  )
  const seconds: number[] = []
  const memory: number[] = []
  const rounds = flags.quick ? 1 : 3
  for (let round = 0; round <= rounds; round += 1) {
    await using stack = new AsyncDisposableStack()
    const gateway = started(stack, await startGateway(folder.path, servers, {}))
    const ready = await firstCorrectCall(gateway, STDIO_SERVERS * CALL_TOOLS)
    // The first start learns the tools and does not count.
    if (round > 0) seconds.push((ready - gateway.process.startedAt) / 1000)
    memory.push(residentMb(gateway.process.pid))
  }
  return { seconds: median(seconds), residentMb: median(memory) }
}

function judge(calls: readonly Window[], lists: readonly Window[], startSeconds: number): Bar[] {
  const cpu = (connections: number): number => withinRounds(calls, ['gateway', 'bare proxy'], connections, cpuRatio)
  const list = withinRounds(lists, ['gateway', 'own bytes'], LIST_CONNECTIONS, cpuRatio)
  return [
    { what: 'CPU a tools/call, 16 connections', limit: 1.6, unit: '× bare proxy', measured: cpu(16) },
    { what: 'CPU a tools/call, 64 connections', limit: 1.6, unit: '× bare proxy', measured: cpu(64) },
    { what: `tools/list of ${LIST_TOOLS} tools`, limit: 2, unit: '× its own bytes', measured: list },
    { what: `start to first call, ${STDIO_SERVERS} stdio servers`, limit: 2, unit: 's', measured: startSeconds },
  ]
}

/** Writes the report over the last one in README.md. */
function write(report: string): void {
  const file = join(import.meta.dirname, 'README.md')
  const [before = ''] = readFileSync(file, 'utf8').split('## Latest run')
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(file, `${before}## Latest run\n\n${date}, ${machine()}\n\n${report}\n`)
}

function machine(): string {
  const pinned = canPin ? 'pinned' : 'not pinned'
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}, ${pinned}`
}

const calls = await measureCalls()
const lists = await measureLists()
const start = isGatewayBuilt ? await measureStart() : { seconds: Number.NaN, residentMb: Number.NaN }
const bars = judge(calls, lists, start.seconds)
const added = (target: string): string =>
  show(
    withinRounds(calls, [target, 'direct'], 1, (a, b) => a.p50 - b.p50),
    3,
  )

const report = [
  `tools/call (echo, legacy sessions, every answer verified), medians of ${base.rounds} rounds:`,
  loadTable(calls, 'bare proxy'),
  `Added to p50 at 1 connection: bare proxy ${added('bare proxy')} ms, gateway ${added('gateway')} ms.`,
  `tools/list of ${LIST_TOOLS} tools; "own bytes" writes the same result from a Buffer:`,
  loadTable(lists, 'own bytes'),
  `Start to first correct call with ${STDIO_SERVERS} stdio servers of last known tools: ${show(start.seconds, 2)} s; memory then ${show(start.residentMb, 0)} MB.`,
  barTable(bars),
].join('\n\n')
console.log(`${machine()}\n\n${report}\n\n${((performance.now() - startedAt) / 1000).toFixed(0)} s`)

const wrong = [...calls, ...lists].filter((window) => window.failed > 0)
for (const { target, connections, errors } of wrong) console.log(target, connections, JSON.stringify(errors))
if (!isGatewayBuilt) console.log('the gateway is not built (npm run build): its rows and bars are missing')
if (!canMeasureCpu) console.log('this system does not tell the processor time of a thread: no CPU columns')
if (flags.write) write(report)
if (wrong.length > 0 || !bars.every(isHeld)) process.exitCode = 1
