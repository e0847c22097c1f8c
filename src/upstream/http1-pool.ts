import type { OnReadOpts, Socket } from 'node:net'
import type { buildConnector } from 'undici'
import {
  Http1Connection,
  Http1Request,
  type ConnectionOwner,
  type RequestController,
  type ResponseHandler,
} from './http1-connection.ts'
import { RequestWriter, type HttpMessage } from './http1-request.ts'

/** Makes what connects, with the place where the bytes that come are put. */
export type ConnectorMaker = (read?: OnReadOpts) => buildConnector.connector

export interface Http1PoolOptions {
  readonly origin: string
  readonly connector: ConnectorMaker
  /** How many connections there may be at once. */
  readonly connectionsMax: number
  /** How long a free one is kept. */
  readonly keepAliveMs: number
}

/** As much as libuv reads at once. */
const READ_BYTES = 65_536

/**
 * Connections to one origin. Requests are sent one at a time on each, the newest free one first; those that find none wait in
 * their order. Nothing is sent twice.
 */
export class Http1Pool implements ConnectionOwner {
  readonly #options: Http1PoolOptions
  readonly #url: URL
  readonly #writer: RequestWriter
  readonly #all = new Set<Http1Connection>()
  readonly #free: Http1Connection[] = []
  #waiting: Http1Request[] = []
  #connecting = 0
  /** All connections read into one place: what came is used before the next comes. */
  #buffer: Buffer | undefined
  #tls: buildConnector.connector | undefined
  #sweep: NodeJS.Timeout | undefined
  #isDestroyed = false

  constructor(options: Http1PoolOptions) {
    this.#options = options
    this.#url = new URL(options.origin)
    this.#writer = new RequestWriter(this.#url.host)
  }

  dispatch(message: HttpMessage, handler: ResponseHandler): void {
    const request = this.#requestOf(message, handler)
    if (!request) return
    handler.onRequestStart(request)
    if (request.isOver) return
    const connection = this.#takeFree()
    if (connection) connection.send(request)
    else {
      this.#waiting.push(request)
      this.#connectMore()
    }
  }

  /** Requests on their way and those that wait fail. */
  destroy(): void {
    this.#isDestroyed = true
    clearTimeout(this.#sweep)
    const waiting = this.#waiting
    this.#waiting = []
    for (const connection of this.#all) connection.fail(new PoolDestroyed())
    for (const request of waiting) request.fail(new PoolDestroyed())
  }

  freed(connection: Http1Connection, untilMs: number): void {
    const next = this.#nextWaiting()
    if (next) return connection.send(next)
    connection.freeUntil = untilMs
    this.#free.push(connection)
    this.#sweep ??= setTimeout(() => this.#sweepFree(), this.#options.keepAliveMs).unref()
  }

  gone(connection: Http1Connection): void {
    this.#all.delete(connection)
    const index = this.#free.indexOf(connection)
    if (index >= 0) this.#free.splice(index, 1)
    this.#connectMore()
  }

  #requestOf(message: HttpMessage, handler: ResponseHandler): Http1Request | undefined {
    try {
      if (this.#isDestroyed) throw new PoolDestroyed()
      return new Http1Request(this.#writer.write(message), handler)
    } catch (error) {
      handler.onResponseError(NEVER_BEGUN, error as Error)
      return undefined
    }
  }

  #takeFree(): Http1Connection | undefined {
    const connection = this.#free.pop()
    if (!connection || connection.freeUntil > Date.now()) return connection
    // The others are older.
    connection.destroy()
    this.#sweepFree()
    return this.#free.pop()
  }

  #nextWaiting(): Http1Request | undefined {
    for (;;) {
      const next = this.#waiting.shift()
      if (!next?.isOver) return next
    }
  }

  /** As many as are wanted and allowed. */
  #connectMore(): void {
    if (this.#isDestroyed) return
    while (this.#connecting < this.#waiting.length && this.#all.size + this.#connecting < this.#options.connectionsMax)
      this.#connect()
  }

  #connect(): void {
    const { hostname, host, protocol, port } = this.#url
    this.#connecting += 1
    // IPv6 without its brackets.
    this.#buffer ??= Buffer.allocUnsafeSlow(READ_BYTES)
    const mailbox = new Mailbox(this.#buffer)
    this.#connectorFor(mailbox)(
      { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), host, protocol, port },
      (error, socket) => {
        this.#connecting -= 1
        if (this.#isDestroyed) socket?.destroy()
        else if (socket) this.#connected(socket, mailbox)
        else this.#failed(error ?? new Error('no connection'))
      },
    )
  }

  /** One that speaks TLS is the same for all: it remembers sessions. What it decrypts comes as a stream. */
  #connectorFor(mailbox: Mailbox): buildConnector.connector {
    if (this.#url.protocol !== 'https:') return this.#options.connector(mailbox)
    this.#tls ??= this.#options.connector()
    return this.#tls
  }

  #connected(socket: Socket, mailbox: Mailbox): void {
    const { keepAliveMs } = this.#options
    const connection = new Http1Connection(socket, this, keepAliveMs)
    mailbox.open((chunk) => connection.read(chunk))
    socket.on('data', (chunk: Buffer) => connection.read(chunk))
    this.#all.add(connection)
    this.freed(connection, Date.now() + keepAliveMs)
  }

  /** One attempt, one request that hears of it. */
  #failed(error: Error): void {
    const next = this.#nextWaiting()
    this.#connectMore()
    next?.fail(error)
  }

  #sweepFree(): void {
    clearTimeout(this.#sweep)
    this.#sweep = undefined
    const now = Date.now()
    for (const connection of this.#free.filter(({ freeUntil }) => freeUntil <= now)) connection.destroy()
    const [oldest] = this.#free
    if (oldest) this.#sweep = setTimeout(() => this.#sweepFree(), oldest.freeUntil - now).unref()
  }
}

/** Takes what comes on a socket past its stream: nothing is allocated, nothing queued. */
class Mailbox implements OnReadOpts {
  readonly buffer: Buffer
  #read: ((chunk: Buffer) => void) | undefined

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  open(read: (chunk: Buffer) => void): void {
    this.#read = read
  }

  readonly callback = (bytes: number): boolean => {
    this.#read?.(this.buffer.subarray(0, bytes))
    return true
  }
}

const NEVER_BEGUN: RequestController = { abort() {} }

class PoolDestroyed extends Error {
  readonly code = 'UND_ERR_DESTROYED'

  constructor() {
    super('the connections were closed')
  }
}
