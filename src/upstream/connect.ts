import { AppError, UpstreamRpcError } from '#kernel/errors'
import type { EraVerdict } from '#registry/snapshot'
import type { UpstreamRecord } from '#registry/records'
import { discover, initialize } from './handshake.ts'
import type { HttpClient } from './http-client.ts'
import { openTransport, type TransportChoice, type TransportDeps } from './open-transport.ts'
import { UpstreamSession, type SessionEvents } from './session.ts'
import { reasonOf } from './unless-aborted.ts'

/** A server that says nothing to an unknown question for this long is taken for a legacy one. */
const PROBE_TIMEOUT_MS = 5000
const HTTP_HANDSHAKE_MS_MAX = 15_000
/** After this a verdict is asked for anew: a server that became modern would answer the old way for ever. */
const VERDICT_MAX_AGE_MS = 24 * 60 * 60 * 1000

export interface ConnectDeps extends TransportDeps {
  readonly record: UpstreamRecord
  readonly client?: HttpClient
  /** Epoch milliseconds. */
  now(): number
  /** What the last probe said, if anything. */
  verdict(): EraVerdict | undefined
  readonly signal: AbortSignal
}

/**
 * Opens a session: transport, era, handshake. Rejects with AppError when the server is out of reach; a 401, 403, 5xx or
 * timeout is no verdict about its era.
 */
export async function connect(deps: ConnectDeps, events: SessionEvents): Promise<UpstreamSession> {
  const { connection } = deps.record
  if (connection.kind === 'stdio') return open('stdio', deps, events)
  if (connection.transport !== 'auto') return open(connection.transport, deps, events)
  try {
    return await open('streamable-http', deps, events)
  } catch (error) {
    if (!isRefusedPost(error)) throw error
    return open('sse', { ...deps, record: { ...deps.record, era: 'legacy' } }, events).catch(() =>
      Promise.reject(error),
    )
  }
}

/** `initialize` by POST got 400, 404 or 405: the sign of an HTTP+SSE server (2025-11-25, basic/transports). */
function isRefusedPost(error: unknown): boolean {
  return error instanceof AppError && [400, 404, 405].includes(Number(error.details['status']))
}

async function open(choice: TransportChoice, deps: ConnectDeps, events: SessionEvents): Promise<UpstreamSession> {
  if (deps.signal.aborted) throw reasonOf(deps.signal)
  let isAgreed = false
  const closed = (error: AppError): void => {
    // Until both sides agree the failure is this function's to report.
    if (isAgreed) events.closed(error)
  }
  let isNoisy = false
  const log: SessionEvents['log'] = (source, text) => {
    isNoisy ||= source === 'stdout'
    events.log(source, text)
  }
  const session = await attach(choice, deps, { ...events, closed, log })
  try {
    await agree(session, deps)
    isAgreed = true
    return session
  } catch (error) {
    const hasEndedItself = !session.isOpen
    await session.close()
    // Some servers end at the first message they do not know: they are legacy, and get a start without the question.
    if (choice === 'stdio' && hasEndedItself && wasProbed(deps) && session.transport.pid !== undefined) {
      return open(choice, { ...deps, record: { ...deps.record, era: 'legacy' } }, events)
    }
    throw isNoisy ? noisy(error) : error
  }
}

/** The usual reason for a failed handshake on a pipe: what the server prints for people goes where messages belong. */
function noisy(error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  const message = `${error.message}; it printed to stdout what is no MCP message (its log has it)`
  return new AppError(error.code, message, { details: error.details, cause: error })
}

async function attach(choice: TransportChoice, deps: ConnectDeps, events: SessionEvents): Promise<UpstreamSession> {
  const session = new UpstreamSession(deps.record.name, events)
  const { connection } = deps.record
  const connect = deps.connectFor(deps.record)
  const target = { connection, connect, ...(deps.client ? { client: deps.client } : {}) }
  session.attach(await openTransport(choice, target, deps, session.transportEvents))
  return session
}

async function agree(session: UpstreamSession, deps: ConnectDeps): Promise<void> {
  const isStdio = session.transport.kind === 'stdio'
  const { handshakeTimeoutMs } = deps.limits
  const limitMs = isStdio ? handshakeTimeoutMs : Math.min(handshakeTimeoutMs, HTTP_HANDSHAKE_MS_MAX)
  const limit = AbortSignal.timeout(limitMs)
  const signal = AbortSignal.any([deps.signal, limit])
  try {
    if (eraToTry(deps) === 'legacy' || session.transport.kind === 'sse') await initialize(session, signal)
    else if (!(await isModern(session, deps, { signal, limitMs }))) await initialize(session, signal)
  } catch (error) {
    throw limit.aborted ? silent(limitMs, error) : error
  }
}

function silent(limitMs: number, cause?: unknown): AppError {
  return new AppError('upstream_unavailable', `The server did not answer the handshake within ${limitMs / 1000} s`, {
    cause,
  })
}

function eraToTry({ record, verdict, now }: ConnectDeps): 'legacy' | 'modern' | 'ask' {
  if (record.era !== 'auto') return record.era
  const known = verdict()
  return known?.era === 'legacy' && now() - known.probedAt < VERDICT_MAX_AGE_MS ? 'legacy' : 'ask'
}

function wasProbed(deps: ConnectDeps): boolean {
  return eraToTry(deps) === 'ask'
}

async function isModern(
  session: UpstreamSession,
  deps: ConnectDeps,
  { signal, limitMs }: { signal: AbortSignal; limitMs: number },
): Promise<boolean> {
  const isForced = eraToTry(deps) === 'modern'
  const patienceMs = Math.min(PROBE_TIMEOUT_MS, limitMs / 2)
  const patience = AbortSignal.timeout(patienceMs)
  try {
    const agreement = await discover(session, AbortSignal.any([signal, patience]))
    if (agreement || !isForced) return agreement !== undefined
  } catch (error) {
    if (!isForced && isLegacyAnswer(error, session, patience)) return false
    throw patience.aborted && !signal.aborted ? silent(patienceMs, error) : error
  }
  throw new AppError('upstream_protocol_error', `${session.server} does not speak the modern protocol`)
}

/** Any other refusal of the question is what a legacy server says; on a pipe silence is, too. */
function isLegacyAnswer(error: unknown, session: UpstreamSession, patience: AbortSignal): boolean {
  if (error instanceof UpstreamRpcError) return true
  const isStdio = session.transport.kind === 'stdio'
  if (isStdio && patience.aborted && session.isOpen) return true
  const status = error instanceof AppError ? Number(error.details['status']) : Number.NaN
  return status >= 400 && status < 500 && status !== 401 && status !== 403
}
