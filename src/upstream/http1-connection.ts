import type { Socket } from 'node:net'
import { toAppError } from '#kernel/errors'
import type { WireData } from './http1-request.ts'
import { ResponseReader, type ResponseHeaders, type ResponseSink } from './http1-response.ts'

export interface RequestController {
  /** Gives the request up: nothing more is heard of it. */
  abort(reason: Error): void
}

/** Hears of the response to one request. The last is `onResponseEnd` or `onResponseError`. */
export interface ResponseHandler {
  onRequestStart(controller: RequestController): void
  onResponseStart(controller: RequestController, status: number, headers: ResponseHeaders): void
  onResponseData(controller: RequestController, chunk: Buffer): void
  onResponseEnd(): void
  onResponseError(controller: RequestController, error: Error): void
}

/** One request on its way. */
export class Http1Request implements RequestController {
  readonly data: WireData
  readonly handler: ResponseHandler
  connection: Http1Connection | undefined
  isOver = false

  constructor(data: WireData, handler: ResponseHandler) {
    this.data = data
    this.handler = handler
  }

  abort(): void {
    if (this.isOver) return
    this.isOver = true
    this.connection?.destroy()
  }

  fail(error: Error): void {
    if (this.isOver) return
    this.isOver = true
    this.handler.onResponseError(this, error)
  }
}

/** Whose connection it is. */
export interface ConnectionOwner {
  /** It can take another request until then (epoch milliseconds). */
  freed(connection: Http1Connection, untilMs: number): void
  /** It takes none any more. Called once. */
  gone(connection: Http1Connection): void
}

/** One connection, one request at a time. */
export class Http1Connection implements ResponseSink {
  readonly #socket: Socket
  readonly #owner: ConnectionOwner
  readonly #reader: ResponseReader
  #request: Http1Request | undefined
  #isGone = false
  /** Epoch milliseconds; of one that is free. */
  freeUntil = 0

  constructor(socket: Socket, owner: ConnectionOwner, keepAliveMs: number) {
    this.#socket = socket
    this.#owner = owner
    this.#reader = new ResponseReader(this, keepAliveMs)
    socket.on('end', () => this.#ended())
    socket.on('error', (error) => this.fail(error))
    socket.on('close', () => this.fail(new ConnectionLost()))
  }

  send(request: Http1Request): void {
    this.#request = request
    request.connection = this
    this.#reader.begin()
    this.#socket.write(request.data, 'latin1')
  }

  /** Ends it, and tells whoever waits for an answer on it. */
  fail(error: Error): void {
    const request = this.#request
    this.#request = undefined
    this.#leave()
    request?.fail(error)
  }

  /** Ends it, and says nothing to whoever waits for an answer on it. */
  destroy(): void {
    this.#request = undefined
    this.#leave()
  }

  head(status: number, headers: ResponseHeaders): void {
    const request = this.#request
    request?.handler.onResponseStart(request, status, headers)
  }

  data(chunk: Buffer): void {
    const request = this.#request
    request?.handler.onResponseData(request, chunk)
  }

  end(keepAliveMs: number): void {
    const request = this.#request
    if (!request) return
    this.#request = undefined
    request.isOver = true
    // An answer that came before all of the request was sent leaves the rest of it on the wire.
    if (keepAliveMs > 0 && this.#socket.writableLength === 0) this.#owner.freed(this, Date.now() + keepAliveMs)
    else this.#leave()
    request.handler.onResponseEnd()
  }

  /** Takes what came. It is used before this returns. */
  read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
    } catch (thrown) {
      this.fail(toAppError(thrown))
    }
  }

  #ended(): void {
    if (!this.#reader.close()) this.fail(new ConnectionLost())
  }

  #leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#socket.destroy()
    this.#owner.gone(this)
  }
}

class ConnectionLost extends Error {
  readonly code = 'ECONNRESET'

  constructor() {
    super('the server closed the connection')
  }
}
