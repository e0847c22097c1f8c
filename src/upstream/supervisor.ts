import type { CallResult, RoutedCall } from '#gateway/call'
import { AppError, messageOf, toAppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { redactor } from '#registry/connection-secrets'
import type { UpstreamRecord } from '#registry/records'
import type { EraVerdict, UpstreamSnapshot } from '#registry/snapshot'
import type { UpstreamLogLine, UpstreamState, UpstreamStatus } from '#registry/upstream-status'
import { connect } from './connect.ts'
import { createHttpClient, type HttpClient } from './http-client.ts'
import { createLogRing, type LogRing } from './log-ring.ts'
import { createSubscriptions, takeNews, type NewsEvents, type Subscriptions } from './news.ts'
import type { TransportDeps } from './open-transport.ts'
import { SessionPool } from './pool.ts'
import { createRetrySchedule } from './retry-schedule.ts'
import { runCall } from './run-call.ts'
import type { OwnedRequest, SessionResult, UpstreamSession } from './session.ts'
import { createSnapshotFeed, type SnapshotFeed } from './snapshot-feed.ts'
import { reasonOf, unlessAborted } from './unless-aborted.ts'
import { isForgotten, isUnreachable, notSent } from './unreachable.ts'

/** A call to a dead upstream may hurry the next try, but not more often than this. */
const HURRY_MS = 1000
/** A call waits for the next try when that is so soon: most servers that end are back with it. */
const SOON_MS = 600

/** The next try, and who waits for it. */
interface Retry {
  readonly at: number
  readonly timer: NodeJS.Timeout
  waited?: PromiseWithResolvers<void>
}

export interface SupervisorDeps extends TransportDeps {
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
  snapshot(upstreamId: string): UpstreamSnapshot | undefined
  publishSnapshot(snapshot: UpstreamSnapshot): Promise<void>
  resourceUpdated(upstreamId: string, uri: string, paramsText: string): void
  taskChanged(upstreamId: string, paramsText: string): void
  /** The server says that its lists are not what they were. */
  listsChanged(record: UpstreamRecord): void
  /** Lets a connecting upstream wait for its turn at start, so that twenty do not start at once. Answers how to end the turn. */
  turn(): Promise<() => void>
  /** Resolves when nothing is left of the supervisor that had this upstream before. */
  readonly predecessorGone?: Promise<void>
}

/** One upstream's life: connects, learns its lists, notices when it dies, tries again, and says in plain words how it is. */
export class Supervisor {
  readonly record: UpstreamRecord
  readonly subscriptions: Subscriptions
  readonly #deps: SupervisorDeps
  readonly #pool: SessionPool
  readonly #feed: SnapshotFeed
  readonly #ring: LogRing
  readonly #client: HttpClient | undefined
  /** Servers repeat what they were told in confidence. */
  readonly #redact: (text: string) => string
  readonly #schedule = createRetrySchedule()
  readonly #stopped = new AbortController()
  #state: UpstreamState
  #reason: string
  #lastError: string | undefined
  #failedAt = 0
  #connectedAt: number | undefined
  #retry: Retry | undefined
  #connecting: Promise<void> | undefined

  constructor(record: UpstreamRecord, deps: SupervisorDeps) {
    this.record = record
    this.#deps = deps
    this.#ring = createLogRing(deps.now)
    this.#redact = redactor(record.connection)
    this.#state = record.enabled ? 'offline' : 'disabled'
    this.#reason = firstReason(record)
    const { connection } = record
    this.#client =
      connection.kind === 'http' && connection.transport !== 'websocket'
        ? createHttpClient(connection.url, (read) => deps.connectFor(record, read))
        : undefined
    const news: NewsEvents = {
      listsChanged: (session, kinds) => {
        deps.listsChanged(record)
        this.#feed.changed(session, kinds)
      },
      resourceUpdated: (uri, paramsText) => deps.resourceUpdated(record.id, uri, paramsText),
      taskChanged: (paramsText) => deps.taskChanged(record.id, paramsText),
      unreachable: (error) => this.#lost(error),
      log: (text) => this.#note('server', text),
    }
    this.subscriptions = createSubscriptions(news)
    this.#feed = createSnapshotFeed({
      upstreamId: record.id,
      now: deps.now,
      publish: (snapshot) => deps.publishSnapshot(snapshot),
      log: (text) => this.#note('gateway', text),
      failed: (message) => this.#become('degraded', message),
    })
    this.#pool = this.#createPool(news)
  }

  #createPool(news: NewsEvents): SessionPool {
    const pool: SessionPool = new SessionPool({
      share: this.record.share,
      open: async (events) => {
        await this.#deps.predecessorGone
        const session = await connect(this.#connectDeps(), events)
        this.subscriptions.join(session)
        return session
      },
      notification: (notification) => {
        void pool.primary().then(
          (session) => takeNews(session, notification, news),
          () => undefined,
        )
      },
      primaryClosed: (error) => this.#lost(error),
      log: (source, text) => this.#note(source, text),
    })
    return pool
  }

  #connectDeps(): Parameters<typeof connect>[0] {
    const { record } = this
    return {
      ...this.#deps,
      record,
      ...(this.#client ? { client: this.#client } : {}),
      verdict: (): EraVerdict | undefined => this.#deps.snapshot(record.id)?.verdict,
      signal: this.#stopped.signal,
    }
  }

  /** Connects in the background, unless the upstream is lazy and its lists are known. */
  start(): void {
    if (!this.record.enabled || this.record.locked || this.#state !== 'offline' || this.#retry) return
    const isKnown = this.#deps.snapshot(this.record.id) !== undefined
    if (this.record.start === 'lazy' && isKnown) return
    this.#become('connecting', 'Connecting for the first time')
    void this.#deps.turn().then((done) =>
      this.#ensure()
        .catch(() => undefined)
        .finally(done),
    )
  }

  /** Ends all sessions and everything that belongs to them. Resolves when nothing is left. */
  async stop(): Promise<void> {
    this.#stopped.abort(new AppError('upstream_unavailable', `${this.record.name} was stopped`))
    this.#clearRetry()
    this.#feed.stop()
    this.subscriptions.stop()
    await this.#pool.close()
    this.#client?.close()
  }

  /** Runs a call. A session that the upstream has forgotten is opened again once; a call that may have arrived is not repeated. */
  run(call: RoutedCall): Promise<CallResult> {
    return this.#attempt(call).catch((error: unknown) => {
      if (isUnreachable(error)) this.#lost(error)
      if (!isForgotten(error) || call.signal.aborted) throw this.#named(error)
      return this.#attempt(call).catch((again: unknown) => Promise.reject(this.#named(again)))
    })
  }

  #attempt(call: RoutedCall): Promise<CallResult> {
    return this.#connectedAt === undefined
      ? unlessAborted(this.#ensure(), call.signal).then(
          () => this.#onPool(call),
          (error: unknown) => Promise.reject(notSent(error)),
        )
      : this.#onPool(call)
  }

  #onPool(call: RoutedCall): Promise<CallResult> {
    return this.#pool.withSession(call, (session) => runCall(session, call, this.#pool))
  }

  /** A request about a task, on the session that made it: the caller's own. */
  async task(request: OwnedRequest): Promise<SessionResult> {
    await unlessAborted(this.#ensure(), request.signal)
    return this.#pool.withSession(request, (session) => session.request(request))
  }

  /** Runs `use` on the session that holds subscriptions. */
  async onPrimary<T>(use: (session: UpstreamSession) => Promise<T>): Promise<T> {
    await this.#ensure()
    return use(await this.#pool.primary())
  }

  forget(sessionKey: string): Promise<void> {
    return this.#pool.forget(sessionKey)
  }

  logs(): readonly UpstreamLogLine[] {
    return this.#ring.lines()
  }

  status(): UpstreamStatus {
    const verdict = this.#deps.snapshot(this.record.id)?.verdict
    return {
      state: this.#state,
      reason: this.#reason,
      transport: this.#transport ?? transportName(this.record),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...(this.#retry ? { nextRetryAt: this.#retry.at } : {}),
      ...(verdict ? { era: verdict.era, protocolVersion: verdict.protocolVersion } : {}),
      ...(this.#connectedAt === undefined ? {} : { connectedAt: this.#connectedAt }),
      sessions: this.#pool.size,
      pids: this.#pool.pids,
    }
  }

  #transport: string | undefined
  #gateways: readonly string[] = []

  /** The gateways that this upstream leads to. */
  get gateways(): readonly string[] {
    return this.#gateways
  }

  /** Connected, or rejects with the reason. Calls that come together wait for one attempt. */
  #ensure(): Promise<void> {
    if (this.#connectedAt !== undefined) return Promise.resolve()
    if (!this.record.enabled)
      return Promise.reject(new AppError('upstream_unavailable', `${this.record.name} is disabled`))
    if (this.record.locked) return Promise.reject(new AppError('upstream_unavailable', this.#reason))
    if (this.#stopped.signal.aborted) return Promise.reject(reasonOf(this.#stopped.signal))
    if (!this.#connecting && this.#retry && this.#deps.now() - this.#failedAt < HURRY_MS) {
      if (this.#retry.at - this.#deps.now() > SOON_MS)
        return Promise.reject(new AppError('upstream_unavailable', this.#reason))
      return (this.#retry.waited ??= Promise.withResolvers()).promise
    }
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connect(): Promise<void> {
    this.#clearRetry()
    this.#become(
      'connecting',
      this.#lastError === undefined ? 'Connecting' : `Connecting again after: ${this.#lastError}`,
    )
    try {
      const session = await this.#pool.primary()
      this.#transport = session.transport.kind
      this.#gateways = session.agreement.gateways
      const problems = await this.#feed.refresh(session)
      this.#connectedAt = this.#deps.now()
      this.#schedule.reset()
      if (problems.length > 0) this.#become('degraded', problems.join('; '))
      else this.#become('online', 'Connected')
      this.subscriptions.resume(session)
    } catch (error) {
      this.#connectedAt = undefined
      // Until nothing is left of this try there cannot be a next one.
      await this.#pool.close()
      this.#failed(toAppError(error))
      throw this.#named(error)
    }
  }

  #lost(error: AppError): void {
    if (this.#connectedAt === undefined) return
    this.#connectedAt = undefined
    if (error.code === 'upstream_session_lost') this.#reopen(error)
    else this.#failed(error)
  }

  /** Only the session has ended: the server is there, nothing speaks for waiting. */
  #reopen(error: AppError): void {
    if (this.#stopped.signal.aborted) return
    this.#become('connecting', `Connecting again: ${error.message}`)
    void this.#ensure().catch(() => undefined)
  }

  #failed(error: AppError): void {
    if (this.#stopped.signal.aborted) return
    this.#clearRetry()
    const cause = this.#redact(error.code === 'internal_error' ? messageOf(error.cause) : error.message)
    this.#lastError = cause
    this.#failedAt = this.#deps.now()
    const delayMs = this.#schedule.next()
    const timer = setTimeout(() => {
      this.#clearRetry()
      void this.#ensure().catch(() => undefined)
    }, delayMs)
    this.#retry = { at: this.#failedAt + delayMs, timer }
    this.#become('offline', `${cause}; next try at ${new Date(this.#retry.at).toISOString()}`)
  }

  #clearRetry(): void {
    clearTimeout(this.#retry?.timer)
    const waited = this.#retry?.waited
    this.#retry = undefined
    // The try begins with this, or there is none any more: they hear what becomes of it.
    waited?.resolve(Promise.resolve().then(() => this.#ensure()))
  }

  #become(state: UpstreamState, said: string): void {
    const reason = this.#redact(said)
    if (this.#state !== state) {
      this.#deps.log.info({ upstream: this.record.name, state, reason }, 'upstream changed state')
      this.#note('gateway', `${state}: ${reason}`)
    }
    this.#state = state
    this.#reason = reason
  }

  #note(source: UpstreamLogLine['source'], said: string): void {
    const text = this.#redact(said)
    this.#ring.add(source, text)
    this.#deps.log.debug({ upstream: this.record.name, source, text }, 'upstream said')
  }

  /** An error of the way to the upstream names the upstream: the caller sees only the tool. */
  #named(error: unknown): unknown {
    if (!(error instanceof AppError) || !NAMED_CODES.has(error.code)) return error
    const { name } = this.record
    const said = this.#redact(error.message)
    const message = said.startsWith(name) ? said : `${name}: ${said}`
    return new AppError(error.code, message, { details: { ...error.details, server: name }, cause: error })
  }
}

const NAMED_CODES = new Set(['upstream_unavailable', 'upstream_session_lost', 'upstream_protocol_error'])

function firstReason({ enabled, locked }: UpstreamRecord): string {
  if (!enabled) return 'Disabled by an operator'
  return locked?.reason ?? 'Not started yet: starts at the first call'
}

function transportName({ connection }: UpstreamRecord): string {
  if (connection.kind === 'stdio') return 'stdio'
  return connection.transport === 'auto' ? 'streamable-http' : connection.transport
}
