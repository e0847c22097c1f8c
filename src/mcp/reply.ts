import { openEventStream, type EventStream } from './event-stream.ts'
import type { HttpResponse } from './http-exchange.ts'
import type { Breathing } from './keep-alives.ts'

/** Where the answer to one request goes: notifications first, then exactly one answer. */
export interface Reply {
  /** False when it could not be delivered here: the answer is out already, or the client cannot take a stream. */
  notify(text: string): boolean
  /** The answer, as text or as parts that are written one after the other. */
  finish(body: string | readonly (string | Buffer)[], status?: number): void
  /** Ends without an answer: the client has cancelled and waits for none. */
  abandon(): void
  readonly isOpen: boolean
  /** The trace that the request's own headers name. */
  readonly traceparent?: string | undefined
}

/** Events of one stream, kept for a client that comes back for what it missed. */
export interface StreamLog {
  /** Stores an event and answers its id. */
  add(text: string): string
  /** The id of a bookmark after all events so far but the newest `behind`. */
  start(behind?: number): string
  /** Nothing more will come on this stream. */
  end(): void
}

export interface HttpReplyOptions {
  readonly acceptsStream: boolean
  /** Opens the log of this answer's stream, once it is one. */
  openLog?(): StreamLog
  /** Bookmark the stream as clients of 2025-11-25 expect it. */
  readonly isPrimed?: boolean
  readonly traceparent?: string | undefined
}

const RETRY_MS = 1000
/** Clients give up on an answer without a first byte after ten seconds or more. */
const SILENT_MS_MAX = 8000
const KEEP_ALIVE_MS = 15_000

/** One HTTP answer: plain JSON when the result is all there is, an event stream as soon as something comes before it. */
export class HttpReply implements Reply, Breathing {
  readonly #response: HttpResponse
  readonly #options: HttpReplyOptions
  #stream: EventStream | undefined
  #log: StreamLog | undefined
  #isFinished = false
  #touchedAt = Date.now()
  /** Among those that the clock looks after. */
  place: number | undefined

  constructor(response: HttpResponse, options: HttpReplyOptions) {
    this.#response = response
    this.#options = options
  }

  get isOpen(): boolean {
    return !this.#isFinished
  }

  get traceparent(): string | undefined {
    return this.#options.traceparent
  }

  notify(text: string): boolean {
    if (this.#isFinished || !this.#options.acceptsStream) return false
    this.#touchedAt = Date.now()
    return this.#send(this.open(), text)
  }

  finish(body: string | readonly (string | Buffer)[], status = 200): void {
    if (this.#isFinished) return
    this.#isFinished = true
    if (this.#stream) {
      this.#send(this.#stream, typeof body === 'string' ? body : body.join(''))
      this.#log?.end()
      this.#stream.end()
    } else sendJson(this.#response, status, body)
  }

  abandon(): void {
    if (this.#isFinished) return
    this.#isFinished = true
    if (this.#stream) this.#stream.end()
    else if (!this.#response.destroyed) this.#response.writeHead(202, { 'content-length': 0 }).end()
  }

  /** Makes this answer a stream now. */
  open(): EventStream {
    if (this.#stream) return this.#stream
    this.#stream = openEventStream(this.#response)
    const { isPrimed } = this.#options
    this.#log = this.#options.openLog?.()
    if (this.#log && isPrimed) this.#stream.prime(this.#log.start(), RETRY_MS)
    return this.#stream
  }

  /** Called now and then: a long silence becomes a stream with a sign of life. */
  keepAlive(now: number): void {
    const silentMs = now - this.#touchedAt
    if (this.#isFinished || !this.#options.acceptsStream) return
    if (silentMs < (this.#stream ? KEEP_ALIVE_MS : SILENT_MS_MAX)) return
    this.#touchedAt = now
    this.open().keepAlive()
  }

  #send(stream: EventStream, text: string): boolean {
    const id = this.#log?.add(text)
    return stream.send({ data: text, ...(id === undefined ? {} : { id }) }) || id !== undefined
  }
}

/** A whole JSON answer. A client that is gone gets nothing; that is no error. */
export function sendJson(response: HttpResponse, status: number, body: string | readonly (string | Buffer)[]): void {
  if (response.destroyed || response.headersSent) return
  if (typeof body === 'string') {
    const length = Buffer.byteLength(body)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': length })
    // Text of ASCII alone is the same bytes in both encodings, and cheaper to write in this one.
    response.end(body, length === body.length ? 'latin1' : 'utf8')
    return
  }
  const length = body.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length })
  response.cork()
  for (const part of body) response.write(part)
  response.end()
}
