import { join } from 'node:path'
import { cpuTime, residentMb, startNode, type CpuTime } from './processes.ts'
import type { Pace, Scenario } from './scenario.ts'
import type { Target } from './targets.ts'

const WARM_SECONDS_MAX = 20

/** What the load client says of one window. */
interface LoadResult {
  readonly done: number
  readonly failed: number
  readonly errors: Record<string, number>
  readonly seconds: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** One target under load for a moment. */
export interface Window extends LoadResult {
  readonly target: string
  readonly round: number
  readonly connections: number
  /** Processor time of the target for each request, NaN without a process between. */
  readonly cpuUs: number
  /** Share of the window that the target was kept waiting for its core by others. */
  readonly waited: number
  readonly residentMb: number
}

export interface LoadOptions {
  readonly mode: 'call' | 'list'
  readonly connections: readonly number[]
  readonly rounds: number
  readonly warmSeconds: number
  readonly seconds: number
  /** Ends a window before its time. */
  readonly calls?: number
  /** On a busy machine a window goes on until there are so many. */
  readonly least?: number
  /** No round but the first starts after this (`performance.now()`). */
  readonly deadline: number
}

/** Rounds of a scenario that end in its time. */
export function roundsOf(
  { seconds }: Pick<Scenario, 'seconds'>,
  { isQuick }: Pace,
): Pick<LoadOptions, 'rounds' | 'warmSeconds' | 'seconds' | 'deadline'> {
  const deadline = performance.now() + seconds * (isQuick ? 200 : 1000)
  return { rounds: isQuick ? 2 : 12, warmSeconds: 0.2, seconds: 0.6, deadline }
}

/** What was wrong in any of the windows. */
export function wrongIn(windows: readonly Window[]): string[] {
  return windows
    .filter(({ failed }) => failed > 0)
    .map(({ target, connections, errors }) => `${target} at ${connections}: ${JSON.stringify(errors)}`)
}

/** Interleaved: in every round each target has its turn at each number of connections, in an order that rotates. */
export async function measure(targets: readonly Target[], options: LoadOptions): Promise<Window[]> {
  const windows: Window[] = []
  for (let round = 0; round < options.rounds; round += 1) {
    if (round > 0 && performance.now() > options.deadline) break
    const turn = round % targets.length
    const order = [...targets.slice(turn), ...targets.slice(0, turn)]
    for (const connections of options.connections) {
      for (const target of order) {
        const seen = await load(target, connections, options)
        const memory = target.process === undefined ? Number.NaN : residentMb(target.process.pid)
        windows.push({ ...seen, target: target.name, round, connections, residentMb: memory })
      }
    }
  }
  return windows
}

/** Lets the compilers settle: cold code is another measurement. By calls, because others may have the core. */
export async function warmUp(
  targets: readonly Target[],
  { mode }: Pick<LoadOptions, 'mode'>,
  calls: number,
): Promise<void> {
  for (const target of targets) await load(target, 8, { mode, warmSeconds: 0, seconds: WARM_SECONDS_MAX, calls })
}

/** One window of load on one target. */
export async function load(
  target: Target,
  connections: number,
  options: Omit<LoadOptions, 'connections' | 'rounds' | 'deadline'>,
): Promise<LoadResult & Pick<Window, 'cpuUs' | 'waited'>> {
  const args = Object.entries({
    mode: options.mode,
    url: target.url.href,
    connections,
    warm: options.warmSeconds,
    seconds: options.seconds,
    calls: options.calls ?? Infinity,
    least: options.least ?? 0,
    authorization: target.authorization ?? '',
  }).flatMap(([name, value]) => [`--${name}`, String(value)])
  await using client = startNode([join(import.meta.dirname, 'load.ts'), ...args], { core: 'harness', ipc: true })
  // `direct` is the upstream itself, on the client's core: its time is not a gateway's.
  const pid = target.name === 'direct' ? undefined : target.process?.pid
  const times: CpuTime[] = []
  client.child.on('message', () => {
    if (pid !== undefined) times.push(cpuTime(pid))
  })
  const result = JSON.parse(await client.firstLine()) as LoadResult
  const [start, end] = times
  const spent = (pick: (time: CpuTime) => number): number =>
    start === undefined || end === undefined ? Number.NaN : pick(end) - pick(start)
  return {
    ...result,
    cpuUs: spent((time) => time.usedNs) / 1000 / Math.max(1, result.done + result.failed),
    waited: spent((time) => time.waitedNs) / 1e9 / result.seconds,
  }
}
