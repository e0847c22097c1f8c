import { AppError } from '#kernel/errors'
import { connectFailure } from './http-client.ts'
import type { RequestController, ResponseHandler } from './http1-connection.ts'
import { createSseParser, type SseEvent, type SseParser } from './sse-parser.ts'

export type IncomingHeaders = Readonly<Record<string, string | string[] | undefined>>

/** What becomes of one HTTP request. Exactly one of `end` and `fail` is called, last. */
export interface ExchangeEvents {
  start?(status: number, headers: IncomingHeaders): void
  /** The whole body of an answer that is no event stream. */
  body(status: number, text: string, contentType: string): void
  event(event: SseEvent): void
  end(): void
  fail(error: AppError): void
}

/**
 * Reads one answer (no fetch, no web streams): a plain body is gathered, an event stream is cut into events as it comes.
 */
export class HttpExchange implements ResponseHandler {
  readonly #events: ExchangeEvents
  readonly #bytesMax: number
  #controller: RequestController | undefined
  #aborted = false
  #isUnreadable = false
  #status = 0
  #contentType = ''
  #chunks: Buffer[] = []
  #bytes = 0
  #sse: SseParser | undefined

  constructor(events: ExchangeEvents, bytesMax: number) {
    this.#events = events
    this.#bytesMax = bytesMax
  }

  /** Ends the request without any further event. */
  abort(): void {
    this.#aborted = true
    this.#controller?.abort(new Error('abandoned'))
  }

  onRequestStart(controller: RequestController): void {
    this.#controller = controller
    if (this.#aborted) controller.abort(new Error('abandoned'))
  }

  onResponseStart(controller: RequestController, status: number, headers: IncomingHeaders): void {
    if (status < 200) return
    this.#status = status
    this.#contentType = String(headers['content-type'] ?? '')
    if (this.#contentType.startsWith('text/event-stream')) this.#sse = createSseParser(this.#bytesMax)
    this.#events.start?.(status, headers)
    if ((headers['content-encoding'] ?? 'identity') === 'identity') return
    // What a failure says beside its status can be missed.
    this.#isUnreadable = true
    if (status < 300) this.#refuse(controller, 'The server answered compressed, which nobody asked for')
  }

  onResponseData(controller: RequestController, chunk: Buffer): void {
    if (this.#aborted || this.#isUnreadable) return
    if (this.#sse) this.#read(this.#sse, controller, chunk)
    else {
      this.#bytes += chunk.length
      this.#chunks.push(chunk)
      if (this.#bytes > this.#bytesMax) this.#refuse(controller, this.#tooMuch)
    }
  }

  onResponseEnd(): void {
    if (this.#aborted) return
    if (!this.#sse) this.#events.body(this.#status, this.#text(), this.#contentType)
    this.#events.end()
  }

  onResponseError(_controller: RequestController, error: Error): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#events.fail(error instanceof AppError ? error : connectFailure(error))
  }

  #read(parser: SseParser, controller: RequestController, chunk: Buffer): void {
    try {
      for (const event of parser.push(chunk)) this.#events.event(event)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#refuse(controller, this.#tooMuch)
    }
  }

  get #tooMuch(): string {
    return `The server answered with more than ${this.#bytesMax} bytes`
  }

  #refuse(controller: RequestController, message: string): void {
    this.#aborted = true
    controller.abort(new Error('refused'))
    this.#events.fail(new AppError('upstream_protocol_error', message))
  }

  #text(): string {
    const [first] = this.#chunks
    if (!first) return ''
    return this.#chunks.length === 1 ? first.toString('utf8') : Buffer.concat(this.#chunks).toString('utf8')
  }
}
