import type { Caller } from '#gateway/call'
import type { CancelSignal } from '#kernel/cancellation'
import { AppError, toAppError, UpstreamRpcError } from '#kernel/errors'
import { isLogged } from '#kernel/protocol'
import type { RpcNotification } from '#kernel/rpc-message'
import type { Sharing } from '#registry/records'
import type { SessionEvents, UpstreamSession } from './session.ts'
import { unlessAborted } from './unless-aborted.ts'

/** Callers that nobody can ask anything share whatever session is free. */
const CROWD = 'crowd'
const LANES_MAX = 8
const LANES_MAX_UNSHARED = 64
/** A second session that nobody used for this long is closed. */
const IDLE_MS = 60_000
/** A server that is too busy to answer gets no more time to settle a call that was given up. */
const SETTLE_MS_MAX = 5000

/** One session and who has it. All members from the start: calls read an object that grows more slowly. */
class Lane {
  readonly opening: Promise<UpstreamSession>
  session: UpstreamSession | undefined
  /** Whose state the server holds: nobody else may use this session any more. */
  boundTo: string | undefined
  /** Who has calls running, while the session is held alone. */
  heldBy: string | undefined
  /** The last one that held it, for questions between calls. */
  lastHolder: Caller | undefined
  /** The most talkative level that the server was told. */
  logLevel: string | undefined
  /** It holds something that the one it is bound to will come back for. */
  isKept = false
  users = 0
  idle: NodeJS.Timeout | undefined

  constructor(opening: Promise<UpstreamSession>) {
    this.opening = opening
  }
}

/** Who wants a session, and until when. */
interface LaneUser {
  readonly caller: Caller
  readonly signal: CancelSignal
}

type Use<T> = (session: UpstreamSession) => Promise<T>

export interface PoolDeps {
  readonly share: Sharing
  /** Opens one more session; the pool gives it its events. */
  open(events: SessionEvents): Promise<UpstreamSession>
  notification(notification: RpcNotification): void
  /** The first session has gone; others go silently. */
  primaryClosed(error: AppError): void
  log: SessionEvents['log']
}

/**
 * The sessions with one upstream. On a pipe a question from the server names no call, so a session is held by one client at
 * a time, and a question can only be for that one. Where each call has a stream of its own, all share one session.
 */
export class SessionPool {
  readonly #deps: PoolDeps
  readonly #lanes = new Set<Lane>()
  readonly #waiting = new Set<() => void>()
  #primary: Lane | undefined
  /** A question came outside of the calls' streams: from now on a session has one holder here, too. */
  #asksOutOfBand = false

  constructor(deps: PoolDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#lanes.size
  }

  get pids(): number[] {
    return [...this.#lanes].flatMap(({ session }) => (session?.isOpen ? (session.transport.pid ?? []) : []))
  }

  /** The session that fetches lists and holds subscriptions; opened when there is none. */
  async primary(): Promise<UpstreamSession> {
    this.#primary ??= this.#openLane()
    return this.#primary.opening
  }

  /** Runs `use` with a session that this caller may use. Waits while all are held by others; rejects when `signal` aborts. */
  withSession<T>(user: LaneUser, use: Use<T>): Promise<T> {
    const lane = this.#primary?.session ? this.#laneFor(this.#keyOf(user)) : undefined
    return lane ? this.#useLane(lane, user, use) : this.#waitForLane(user, use)
  }

  async #waitForLane<T>(user: LaneUser, use: Use<T>): Promise<T> {
    for (;;) {
      if (!this.#primary?.session) await unlessAborted(this.primary(), user.signal)
      const lane = this.#laneFor(this.#keyOf(user))
      if (lane) return this.#useLane(lane, user, use)
      await this.#untilReleased(user.signal)
    }
  }

  /** A downstream session has ended: what was only for it is closed. */
  async forget(sessionKey: string): Promise<void> {
    for (const lane of this.#lanes) {
      if (lane.lastHolder?.sessionKey === sessionKey) lane.lastHolder = undefined
      if (lane.boundTo === sessionKey) await this.#close(lane)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lanes].map((lane) => this.#close(lane)))
  }

  #keyOf({ caller }: LaneUser): string {
    return caller.ask || this.#deps.share === 'never' ? caller.sessionKey : CROWD
  }

  /** A lane that this key may use now, a new one where there may be one more, undefined when it has to wait. */
  #laneFor(key: string): Lane | undefined {
    const primary = this.#primary
    if (this.#deps.share !== 'never' && this.#isShared(primary)) return primary
    const own = this.#find((lane) => lane.boundTo === key)
    if (own) return own
    if (this.#deps.share === 'never') return this.#laneOfOwn(key)
    const free = (lane: Lane): boolean => lane.boundTo === undefined && (lane.users === 0 || lane.heldBy === key)
    return this.#find((lane) => free(lane) && lane.heldBy === key) ?? this.#find(free) ?? this.#oneMore(LANES_MAX)
  }

  #laneOfOwn(key: string): Lane | undefined {
    const lane = this.#find(({ boundTo }) => boundTo === undefined) ?? this.#oneMore(LANES_MAX_UNSHARED)
    if (lane) lane.boundTo = key
    return lane
  }

  #find(matches: (lane: Lane) => boolean): Lane | undefined {
    return [...this.#lanes].find((lane) => (lane.session?.isOpen ?? true) && matches(lane))
  }

  #oneMore(max: number): Lane | undefined {
    return this.#lanes.size < max ? this.#openLane() : undefined
  }

  #isShared(lane: Lane | undefined): boolean {
    if (this.#deps.share === 'always') return true
    const session = lane?.session
    if (!session) return false
    const { era } = session.agreement
    return era === 'modern' || (session.transport.hasCallStreams && !this.#asksOutOfBand)
  }

  async #useLane<T>(lane: Lane, user: LaneUser, use: Use<T>): Promise<T> {
    const { caller, signal } = user
    clearTimeout(lane.idle)
    lane.users += 1
    lane.heldBy = this.#keyOf(user)
    try {
      const session = lane.session ?? (await unlessAborted(lane.opening, signal))
      this.#handOver(lane, session, caller)
      if (caller.logLevel !== undefined && caller.logLevel !== lane.logLevel)
        await raiseLogLevel(lane, session, { level: caller.logLevel, signal })
      return await use(session)
    } finally {
      if (signal.aborted && !this.#isShared(lane)) void settled(lane).then(() => this.#leave(lane))
      else this.#leave(lane)
    }
  }

  /** This session holds something for its caller from now on: it is his until he goes. */
  keep(session: UpstreamSession, user: LaneUser): void {
    const lane = this.#find((each) => each.session === session)
    if (!lane || this.#isShared(lane)) return
    lane.boundTo = this.#keyOf(user)
    lane.isKept = true
  }

  #leave(lane: Lane): void {
    lane.users -= 1
    if (lane.users === 0) this.#released(lane)
  }

  /** A server that was told of roots asks for them again when its session gets another holder. */
  #handOver(lane: Lane, session: UpstreamSession, caller: Caller): void {
    if (this.#isShared(lane)) return
    if (!caller.ask) {
      lane.lastHolder = undefined
      return
    }
    const isNew = lane.lastHolder?.sessionKey !== caller.sessionKey
    lane.lastHolder = caller
    if (isNew && !caller.takesInputRequired && caller.profile.capabilities['roots'] !== undefined) {
      session.notify('notifications/roots/list_changed')
    }
  }

  #released(lane: Lane): void {
    lane.heldBy = undefined
    if (lane !== this.#primary && !lane.isKept) lane.idle = setTimeout(() => void this.#close(lane), IDLE_MS).unref()
    for (const wake of this.#waiting) wake()
  }

  #untilReleased(signal: CancelSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    return unlessAborted(promise, signal).finally(() => this.#waiting.delete(resolve))
  }

  #openLane(): Lane {
    const events: SessionEvents = {
      notification: (notification) => this.#notified(lane, notification),
      holder: () => this.#holderOf(lane),
      rootsGiven: () => {
        if (!this.#isShared(lane) && lane.lastHolder) lane.boundTo = lane.lastHolder.sessionKey
      },
      closed: (error) => this.#gone(lane, error),
      log: this.#deps.log,
    }
    const lane: Lane = new Lane(this.#deps.open(events))
    this.#lanes.add(lane)
    lane.opening.then(
      (session) => {
        lane.session = session
      },
      (error: unknown) => this.#gone(lane, toAppError(error)),
    )
    return lane
  }

  /** Whom a question outside of any call's stream is for: the one that has the session, or nobody. */
  #holderOf(lane: Lane): Caller | undefined {
    const keys = lane.session?.runningKeys() ?? new Set()
    if (keys.size > 1 || (this.#isShared(lane) && keys.size === 0)) {
      this.#asksOutOfBand = true
      return undefined
    }
    return keys.size === 1 ? lane.session?.newestCaller() : lane.lastHolder
  }

  #notified(lane: Lane, notification: RpcNotification): void {
    const isLog =
      notification.method === 'notifications/message' || notification.method === 'notifications/elicitation/complete'
    const holder = isLog && lane.session ? this.#quietHolderOf(lane) : undefined
    if (holder?.notify) holder.notify(notification.method, notification.paramsText)
    else this.#deps.notification(notification)
  }

  #quietHolderOf(lane: Lane): Caller | undefined {
    const keys = lane.session?.runningKeys() ?? new Set()
    if (keys.size === 1) return lane.session?.newestCaller()
    return keys.size === 0 ? lane.lastHolder : undefined
  }

  #gone(lane: Lane, error: AppError): void {
    if (!this.#lanes.delete(lane)) return
    clearTimeout(lane.idle)
    for (const wake of this.#waiting) wake()
    void lane.session?.close()
    if (lane !== this.#primary) return
    this.#primary = undefined
    this.#deps.primaryClosed(error)
  }

  async #close(lane: Lane): Promise<void> {
    const session = lane.session ?? (await lane.opening.catch(() => undefined))
    await session?.close()
    this.#gone(lane, new AppError('upstream_session_lost', 'The session was closed'))
  }
}

/** What a call that was given up has left on its way, a question above all, comes before the answer to a ping. */
async function settled({ session }: Lane): Promise<void> {
  const signal = AbortSignal.timeout(SETTLE_MS_MAX)
  await session?.request({ method: 'ping', params: () => '{}', signal }).catch(() => undefined)
}

/** A legacy server has one level a session: the most talkative that anybody wants. Each client gets no more than it asked for. */
async function raiseLogLevel(
  lane: Lane,
  session: UpstreamSession,
  { level, signal }: { level: string; signal: CancelSignal },
): Promise<void> {
  const { era, capabilities } = session.agreement
  if (era === 'modern' || capabilities['logging'] === undefined || isLogged(level, lane.logLevel)) return
  lane.logLevel = level
  try {
    await session.request({ method: 'logging/setLevel', params: () => JSON.stringify({ level }), signal })
  } catch (error) {
    // A server that does not take the level can still take the call.
    if (!(error instanceof UpstreamRpcError)) throw error
  }
}
