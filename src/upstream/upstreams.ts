import { isDeepStrictEqual } from 'node:util'
import type { CallResult, RoutedCall } from '#gateway/call'
import { AppError } from '#kernel/errors'
import { uuidv7 } from '#kernel/ids'
import { digest } from '#kernel/seal'
import type { UpstreamRecord } from '#registry/records'
import type { UpstreamListener } from '#registry/registry-api'
import type { UpstreamControl } from '#registry/upstream-status'
import { createChildMarks } from './child-process-tree.ts'
import type { OwnedRequest, SessionResult } from './session.ts'
import { Supervisor, type SupervisorDeps } from './supervisor.ts'

/** How many upstreams connect at once at start, and how long one may keep the others waiting. */
const TURNS = 2
const TURN_MS = 1500

export interface UpstreamsDeps extends Omit<SupervisorDeps, 'turn' | 'marks'> {
  /** Tells the children of this gateway's data directory from those of others. */
  readonly dataDir: string
  upstreams(): readonly UpstreamRecord[]
  onUpstreamChange(listener: UpstreamListener): () => void
}

/** All upstreams: follows the registry, runs calls, stops without a trace. */
export interface Upstreams extends UpstreamControl, AsyncDisposable {
  run(call: RoutedCall): Promise<CallResult>
  task(upstreamId: string, request: OwnedRequest): Promise<SessionResult>
  subscribe(upstreamId: string, uri: string): Promise<void>
  unsubscribe(upstreamId: string, uri: string): Promise<void>
  /** A downstream session has ended: sessions that were only for it end too. */
  forget(sessionKey: string): void
  /** The gateways among the upstreams, and those behind them. */
  gateways(): readonly string[]
  /** Begins to connect in the background. */
  start(): void
}

export function createUpstreams(deps: UpstreamsDeps): Upstreams {
  const supervisors = new Map<string, Supervisor>()
  const stopping = new Set<Promise<void>>()
  const turn = createTurns()
  const marks = createChildMarks(digest(deps.dataDir), uuidv7)
  const leftovers = marks.killLeftovers()
  if (leftovers > 0) deps.log.warn({ leftovers }, 'children of a killed gateway were ended')

  const get = (upstreamId: string): Supervisor => {
    const supervisor = supervisors.get(upstreamId)
    if (supervisor) return supervisor
    throw new AppError('upstream_unavailable', 'The server behind this tool has been removed')
  }
  /** What had the same place before is gone first: two of one server at a time would be in each other's way. */
  const add = (record: UpstreamRecord, predecessorGone?: Promise<void>): Supervisor => {
    const supervisor = new Supervisor(record, { ...deps, marks, turn, ...(predecessorGone ? { predecessorGone } : {}) })
    supervisors.set(record.id, supervisor)
    return supervisor
  }
  const drop = (upstreamId: string): Promise<void> => {
    const stopped = supervisors.get(upstreamId)?.stop() ?? Promise.resolve()
    supervisors.delete(upstreamId)
    stopping.add(stopped)
    return stopped.finally(() => stopping.delete(stopped))
  }
  const stopFollowing = deps.onUpstreamChange(({ before, after }) => {
    if (before && after && runsAlike(before, after)) return
    const gone = before && drop(before.id)
    if (after) add(after, gone).start()
  })
  for (const record of deps.upstreams()) add(record)
  return {
    task: async (upstreamId, request) => get(upstreamId).task(request),
    run: (call) => get(call.target.upstreamId).run(call),
    subscribe: async (upstreamId, uri) => get(upstreamId).onPrimary(() => get(upstreamId).subscriptions.add(uri)),
    unsubscribe: async (upstreamId, uri) => get(upstreamId).subscriptions.remove(uri),
    forget(sessionKey) {
      for (const supervisor of supervisors.values()) void supervisor.forget(sessionKey)
    },
    gateways: () => [...supervisors.values()].flatMap((supervisor) => supervisor.gateways),
    start() {
      for (const supervisor of supervisors.values()) supervisor.start()
    },
    status: (upstreamId) => supervisors.get(upstreamId)?.status() ?? UNKNOWN,
    logs: (upstreamId) => supervisors.get(upstreamId)?.logs() ?? [],
    async restart(upstreamId) {
      const { record } = get(upstreamId)
      await add(record, drop(upstreamId)).onPrimary(() => Promise.resolve())
    },
    async [Symbol.asyncDispose]() {
      stopFollowing()
      await Promise.all([...supervisors.keys()].map(drop))
      await Promise.all(stopping)
    },
  }
}

/** Whether a change leaves alone what runs: a server does not lose its state for a new description. */
function runsAlike(before: UpstreamRecord, after: UpstreamRecord): boolean {
  return isDeepStrictEqual(runningPart(before), runningPart(after))
}

function runningPart({ name, origin, connection, enabled, era, start, share }: UpstreamRecord): object {
  return { name, origin, connection, enabled, era, start, share }
}

const UNKNOWN = { state: 'offline', reason: 'Unknown to the supervisor', sessions: 0, pids: [] } as const

/** A queue with two places: the next begins when one before it is done or has had its time. */
function createTurns(): SupervisorDeps['turn'] {
  let free = TURNS
  const queue: (() => void)[] = []
  const take = (): (() => void) => {
    free -= 1
    const timer = setTimeout(release, TURN_MS).unref()
    let isOver = false
    function release(): void {
      clearTimeout(timer)
      if (!isOver) free += 1
      isOver = true
      if (free > 0) queue.shift()?.()
    }
    return release
  }
  return function turn() {
    if (free > 0) return Promise.resolve(take())
    return new Promise((resolve) => queue.push(() => resolve(take())))
  }
}
