import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { openInspector } from '../inspector.ts'
import { cpuTime, residentMb, startNode } from '../processes.ts'
import { median, show, table } from '../report.ts'
import type { Scenario } from '../scenario.ts'
import {
  CALL_TOOLS,
  firstCorrectCall,
  HEAP_FLAGS,
  scratch,
  serversOf,
  started,
  startGateway,
  startUpstream,
  type GatewayOptions,
  type GatewayTarget,
} from '../targets.ts'
import { warmUp } from '../windows.ts'

const SESSIONS = 10_000
/** Compilers, tables, and a young heap that grows with any work, are not those of sessions. */
const WARM_CALLS = 30_000
const FIRST_SESSIONS = 2000
/** As many as a gateway keeps: from then on each new session ends an old one. */
const FULL = 20_000
/** Until then garbage is collected. */
const SETTLE_MS = 4000
const ROUNDS = 3

interface Seen {
  readonly idleMb: number
  readonly perSecond: number
  readonly perSecondFull: number
  /** Processor time of each session that is set up. */
  readonly cpuUs: number
  readonly kbResident: number
}

/** A gateway that nobody calls: what it needs, and what each session adds that does nothing. */
export const idle: Scenario = {
  name: 'idle',
  seconds: 60,
  async run({ isQuick }) {
    const seen: Seen[] = []
    for (let round = 0; round < (isQuick ? 1 : ROUNDS); round += 1) seen.push(await look())
    const kbLive = await weigh()
    const figure = (pick: (one: Seen) => number): number => median(seen.map(pick))
    const idleMb = figure((one) => one.idleMb)
    const perSecond = figure((one) => one.perSecond)
    const perSecondFull = figure((one) => one.perSecondFull)
    const cpuUs = figure((one) => one.cpuUs)
    const kbResident = figure((one) => one.kbResident)
    const rows = [
      ['idle gateway with one HTTP server, resident', `${show(idleMb, 0)} MB`],
      [`each of ${SESSIONS} idle legacy sessions, resident`, `${show(kbResident, 2)} kB`],
      [`each of ${SESSIONS} idle legacy sessions, alive after a collection`, `${show(kbLive, 2)} kB`],
      ['CPU of setting up a session', `${show(cpuUs, 0)} µs`],
      ['sessions set up a second (initialize and initialized)', show(perSecond, 0)],
      [`the same when all ${FULL} places are taken`, show(perSecondFull, 0)],
    ]
    return {
      report: [`Medians of ${seen.length} starts:`, table(['what', 'measured'], rows)],
      bars: [
        { what: 'idle gateway', limit: 120, unit: 'MB', measured: idleMb },
        // The larger one: memory that was there before may hide what sessions take.
        { what: 'idle legacy session', limit: 2, unit: 'kB', measured: Math.max(kbResident, kbLive) },
        { what: 'sessions set up', limit: 3000, isFloor: true, unit: 'a second', measured: perSecond },
        {
          what: 'sessions set up, no place free',
          limit: 3000,
          isFloor: true,
          unit: 'a second',
          measured: perSecondFull,
        },
      ],
      wrong: [],
    }
  },
}

async function look(): Promise<Seen> {
  using folder = scratch()
  await using stack = new AsyncDisposableStack()
  const gateway = await ready(stack, folder.path)
  const { pid } = gateway.process
  await wait(SETTLE_MS)
  const idleMb = residentMb(pid)
  await warmUp([gateway], { mode: 'call' }, WARM_CALLS)
  await open(gateway, FIRST_SESSIONS)
  const before = residentMb(pid)
  const usedNs = cpuTime(pid).usedNs
  const perSecond = await open(gateway, SESSIONS)
  const cpuUs = (cpuTime(pid).usedNs - usedNs) / 1000 / SESSIONS
  const kbResident = ((residentMb(pid) - before) * 1024) / SESSIONS
  await open(gateway, FULL - SESSIONS - FIRST_SESSIONS)
  return { idleMb, perSecond, cpuUs, kbResident, perSecondFull: await open(gateway, SESSIONS) }
}

/** kB of the heap that a session keeps alive, as the collector knows it. */
async function weigh(): Promise<number> {
  using folder = scratch()
  await using stack = new AsyncDisposableStack()
  const gateway = await ready(stack, folder.path, { flags: HEAP_FLAGS, isInspected: true })
  using inspector = await openInspector(await gateway.process.inspector())
  await open(gateway, FIRST_SESSIONS)
  const before = await inspector.liveBytes()
  await open(gateway, SESSIONS)
  return ((await inspector.liveBytes()) - before) / 1024 / SESSIONS
}

async function ready(
  stack: AsyncDisposableStack,
  folder: string,
  options: GatewayOptions = {},
): Promise<GatewayTarget> {
  const upstream = started(stack, await startUpstream(CALL_TOOLS))
  const gateway = started(stack, await startGateway(folder, serversOf(upstream), { core: 'measured', ...options }))
  await firstCorrectCall(gateway, CALL_TOOLS)
  return gateway
}

/** Opens sessions that stay; answers how many a second. */
async function open({ url }: GatewayTarget, count: number): Promise<number> {
  const args = [join(import.meta.dirname, '../sessions.ts'), '--url', url.href, '--sessions', String(count)]
  await using client = startNode(args, { core: 'harness' })
  const { perSecond } = JSON.parse(await client.firstLine()) as { perSecond: number }
  return perSecond
}
