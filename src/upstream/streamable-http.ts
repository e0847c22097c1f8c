import { ChurnMap } from '#kernel/churn-map'
import { AppError } from '#kernel/errors'
import { MODERN_VERSION } from '#kernel/protocol'
import type { HttpClient } from './http-client.ts'
import { HttpExchange, type ExchangeEvents, type IncomingHeaders } from './http-exchange.ts'
import { retryAfterOf, waitDetails, waitWords } from './retry-after.ts'
import type { SseEvent } from './sse-parser.ts'
import type { Outgoing, Transport, TransportEvents, TransportLimits } from './transport.ts'

/** Wait before a broken stream is resumed, where the server named none. */
const RECONNECT_MS = 1000
const RECONNECT_MS_MAX = 30_000
/** How often in a row a stream is resumed without anything new on it. */
const RESUMES_MAX = 5

export interface StreamableHttpOptions {
  readonly client: HttpClient
  readonly headers: Readonly<Record<string, string>>
  readonly limits: TransportLimits
}

/** The wait before a request's stream is resumed, and from where. */
interface Resume {
  lastEventId: string | undefined
  retryMs: number
  attempts: number
}

/** Streamable HTTP: one POST a message, each with a stream of its own, and a GET stream for what belongs to no request. */
export function openStreamableHttp(options: StreamableHttpOptions, events: TransportEvents): Transport {
  return new StreamableHttp(options, events)
}

class StreamableHttp implements Transport {
  readonly kind = 'streamable-http'
  readonly hasCallStreams = true
  readonly #options: StreamableHttpOptions
  readonly #events: TransportEvents
  readonly #exchanges = new ChurnMap<number, HttpExchange>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Never changed in place: what is sent with the same object is written once. */
  #headers: Readonly<Record<string, string>>
  #sessionId: string | undefined
  #listening: HttpExchange | undefined
  /** It had a stream for us: that it knows none any more is news. */
  #hasListened = false
  #isLegacy = false
  #isClosed = false

  constructor(options: StreamableHttpOptions, events: TransportEvents) {
    this.#options = options
    this.#events = events
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...options.headers,
    }
  }

  send(message: Outgoing): void {
    const { requestId } = message
    const exchange = new HttpExchange(
      requestId === undefined ? this.#oneWay(message) : new RequestAnswer(this, requestId, message.method),
      this.#options.limits.messageBytesMax,
    )
    if (requestId !== undefined) this.#exchanges.set(requestId, exchange)
    const { client } = this.#options
    const headers = this.#headersOf(message)
    client.calls.dispatch({ path: client.path, method: 'POST', headers, body: message.text }, exchange)
  }

  /** Until a legacy version is agreed on, every message names its method: a modern server may refuse it otherwise. */
  #headersOf({ headers, method }: Outgoing): Record<string, string> {
    if (headers) return { ...this.#headers, ...headers }
    return this.#isLegacy || method === undefined ? this.#headers : { ...this.#headers, 'mcp-method': method }
  }

  abandon(requestId: number): void {
    this.#exchanges.get(requestId)?.abort()
    this.#exchanges.delete(requestId)
  }

  answered(requestId: number): void {
    this.#exchanges.delete(requestId)
  }

  opened(protocolVersion: string, { listen }: { readonly listen: boolean }): void {
    this.#headers = { ...this.#headers, 'mcp-protocol-version': protocolVersion }
    this.#isLegacy = protocolVersion !== MODERN_VERSION
    if (listen) this.#listen({ lastEventId: undefined, retryMs: RECONNECT_MS, attempts: 0 })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#listening?.abort()
    for (const exchange of this.#exchanges.values()) exchange.abort()
    await this.#endSession()
  }

  /** Tells the server that its session is over; a server that does not care is no failure of ours. */
  #endSession(): Promise<void> {
    const sessionId = this.#sessionId
    if (sessionId === undefined) return Promise.resolve()
    const { client } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    const exchange = new HttpExchange({ body() {}, event() {}, end: resolve, fail: () => resolve() }, 65_536)
    const patience = setTimeout(() => {
      exchange.abort()
      resolve()
    }, 1000)
    client.calls.dispatch({ path: client.path, method: 'DELETE', headers: this.#headers }, exchange)
    return promise.finally(() => clearTimeout(patience))
  }

  #oneWay({ delivered }: Outgoing): ConstructorParameters<typeof HttpExchange>[0] {
    return {
      body: (status, text) => {
        if (status >= 400)
          this.#events.log('gateway', `the server refused a notification (HTTP ${status}) ${text.slice(0, 200)}`)
      },
      event: (event) => this.#deliver(event),
      end: () => delivered?.(),
      fail: (error) => {
        this.#events.log('gateway', `a notification was lost: ${error.message}`)
        delivered?.()
      },
    }
  }

  useSession(sessionId: string): void {
    this.#sessionId = sessionId
    this.#headers = { ...this.#headers, 'mcp-session-id': sessionId }
  }

  takeBody(requestId: number, answer: Body): void {
    const { status, text, contentType, retryAfter } = answer
    if (this.#isSessionLost(status, text)) {
      const lost = sessionLost()
      this.fail(requestId, lost)
      this.#events.closed(lost)
    } else if (contentType.startsWith('application/json') && text !== '') this.#events.message(text, requestId)
    else this.fail(requestId, unexpectedAnswer(status, text, retryAfter))
  }

  /** 404 by the specification; servers built on older SDKs say 400 for the same. */
  #isSessionLost(status: number, text: string): boolean {
    if (this.#sessionId === undefined) return false
    return (status === 404 && !text.includes('-32601')) || (status === 400 && /session/i.test(text))
  }

  takeEvent(event: SseEvent, requestId: number | undefined, resume: Resume): void {
    if (event.id !== undefined) resume.lastEventId = event.id
    if (event.retry !== undefined) resume.retryMs = Math.min(event.retry, RECONNECT_MS_MAX)
    resume.attempts = 0
    this.#deliver(event, requestId)
  }

  #deliver(event: SseEvent, requestId?: number): void {
    // A priming event has an id and empty data: it is a bookmark, not a message.
    if (event.data !== undefined && event.data !== '' && event.event === 'message')
      this.#events.message(event.data, requestId)
  }

  /** Called when a request's stream has ended. The session has forgotten the request if it was answered. */
  resumeOrFail(requestId: number, resume: Resume): void {
    if (!this.#exchanges.has(requestId) || this.#isClosed) return
    if (resume.lastEventId === undefined || resume.attempts >= RESUMES_MAX) {
      this.fail(requestId, new AppError('upstream_protocol_error', 'The server ended the stream without an answer'))
      return
    }
    resume.attempts += 1
    this.#later(resume.retryMs, () => {
      if (!this.#exchanges.has(requestId)) return
      const exchange = new HttpExchange(
        {
          body: (status, text) => this.fail(requestId, unexpectedAnswer(status, text)),
          event: (event) => this.takeEvent(event, requestId, resume),
          end: () => this.resumeOrFail(requestId, resume),
          fail: () => this.resumeOrFail(requestId, resume),
        },
        this.#options.limits.messageBytesMax,
      )
      this.#exchanges.set(requestId, exchange)
      this.#get(exchange, resume.lastEventId)
    })
  }

  #listen(resume: Resume): void {
    if (this.#isClosed) return
    const again = (): void => {
      resume.attempts += 1
      this.#later(Math.min(resume.retryMs * 2 ** Math.min(resume.attempts - 1, 5), RECONNECT_MS_MAX), () =>
        this.#listen(resume),
      )
    }
    let status = 0
    const exchange = new HttpExchange(
      {
        start: (code) => {
          status = code
          this.#hasListened ||= code === 200
        },
        body: (code, text) => {
          if (this.#hasListened && this.#isSessionLost(code, text)) this.#events.closed(sessionLost())
        },
        event: (event) => this.takeEvent(event, undefined, resume),
        // 405 or another refusal: this server has nothing to say outside of calls.
        end: () => {
          if (status === 200 || status >= 500) again()
        },
        fail: (error) => {
          if (error.details['dispatched'] === false) this.#events.closed(error)
          else again()
        },
      },
      this.#options.limits.messageBytesMax,
    )
    this.#listening = exchange
    this.#get(exchange, resume.lastEventId)
  }

  #get(exchange: HttpExchange, lastEventId: string | undefined): void {
    const { client } = this.#options
    const { 'content-type': _contentType, ...rest } = this.#headers
    const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const headers = { ...rest, accept: 'text/event-stream', ...resume }
    client.streams.dispatch({ path: client.path, method: 'GET', headers }, exchange)
  }

  #later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#isClosed) act()
    }, delayMs)
    this.#timers.add(timer)
  }

  fail(requestId: number, error: AppError): void {
    if (this.#exchanges.delete(requestId)) this.#events.failed(requestId, error)
  }
}

/** An answer that is no stream. */
interface Body {
  readonly status: number
  readonly text: string
  readonly contentType: string
  /** Seconds. */
  readonly retryAfter: number | undefined
}

/** What becomes of one request, with what is needed to resume its stream. A class, because every call makes one. */
class RequestAnswer implements ExchangeEvents {
  readonly #transport: StreamableHttp
  readonly #requestId: number
  readonly #method: string | undefined
  readonly #resume: Resume = { lastEventId: undefined, retryMs: RECONNECT_MS, attempts: 0 }
  #retryAfter: number | undefined

  constructor(transport: StreamableHttp, requestId: number, method: string | undefined) {
    this.#transport = transport
    this.#requestId = requestId
    this.#method = method
  }

  start(status: number, headers: IncomingHeaders): void {
    if (status >= 400) this.#retryAfter = retryAfterOf(status, headers, Date.now())
    const sessionId = headers['mcp-session-id']
    if (this.#method === 'initialize' && typeof sessionId === 'string') this.#transport.useSession(sessionId)
  }

  body(status: number, text: string, contentType: string): void {
    this.#transport.takeBody(this.#requestId, { status, text, contentType, retryAfter: this.#retryAfter })
  }

  event(event: SseEvent): void {
    this.#transport.takeEvent(event, this.#requestId, this.#resume)
  }

  end(): void {
    this.#transport.resumeOrFail(this.#requestId, this.#resume)
  }

  fail(error: AppError): void {
    if (this.#resume.lastEventId === undefined) this.#transport.fail(this.#requestId, error)
    else this.#transport.resumeOrFail(this.#requestId, this.#resume)
  }
}

function sessionLost(): AppError {
  return new AppError('upstream_session_lost', 'The server does not know our session any more', {
    details: { dispatched: false },
  })
}

function unexpectedAnswer(status: number, text: string, retryAfter?: number): AppError {
  const details = { status, dispatched: status < 400 || status >= 500, ...waitDetails(retryAfter) }
  if (status === 401 || status === 403) {
    return new AppError('upstream_unavailable', `The server asks for credentials (HTTP ${status})`, { details })
  }
  if (status >= 400) {
    const message = `The server answered HTTP ${status}${waitWords(retryAfter)}`
    return new AppError('upstream_unavailable', message, { details })
  }
  const start = text.slice(0, 80).replaceAll(/\s+/g, ' ')
  return new AppError('upstream_protocol_error', `The server answered with something that is no JSON: ${start}`, {
    details,
  })
}
