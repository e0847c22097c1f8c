import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Allowance } from '#gateway/rate-limits'
import type { HttpResponse } from '#mcp/http-exchange'
import type { PlainClock } from './plain-clock.ts'
import { allowanceHeaders } from './rated-response.ts'

type Headers = Readonly<Record<string, string | number>>

/** RFC 9110, §5.5: whoever could write a line break could write a head of his own. */
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/

/** Answers one request on a connection that others follow on: in one write, unless it is a stream. */
export class PlainResponse implements HttpResponse {
  allowance?: Allowance | undefined
  headersSent = false
  writableEnded = false
  readonly #socket: Socket
  readonly #clock: PlainClock
  readonly #ended: (isLast: boolean) => void
  #lines = ''
  /** Written with whatever comes first. */
  #head = ''
  #isChunked = false
  #isLast = false
  #isFlushed = false
  #listeners: (() => void)[] | undefined

  /** `ended` hears when the next request may have its turn. */
  constructor(socket: Socket, clock: PlainClock, ended: (isLast: boolean) => void) {
    this.#socket = socket
    this.#clock = clock
    this.#ended = ended
  }

  get destroyed(): boolean {
    return this.#socket.destroyed
  }

  get writableFinished(): boolean {
    return this.#isFlushed || (this.writableEnded && !this.#listeners)
  }

  get writableLength(): number {
    return this.#socket.writableLength
  }

  setHeader(name: string, value: string): void {
    if (name === 'connection') this.#isLast = value === 'close'
    else this.#lines += lineOf(name, value)
  }

  writeHead(status: number, headers: Headers): this {
    if (this.headersSent) throw new Error('The head of this response is written already')
    this.headersSent = true
    let lines = this.#lines + linesOf(headers)
    if (this.allowance) lines += linesOf(allowanceHeaders(this.allowance))
    this.#isChunked = !('content-length' in headers)
    if (this.#isChunked) lines += 'Transfer-Encoding: chunked\r\n'
    const end = this.#isLast ? this.#clock.lastLines() : this.#clock.lines()
    this.#head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}${end}\r\n`
    return this
  }

  flushHeaders(): void {
    if (this.#head !== '' && this.#socket.writable) this.#socket.write(this.#takeHead(), 'latin1')
  }

  write(chunk: string | Buffer): boolean {
    if (this.writableEnded || !this.#socket.writable) return false
    this.flushHeaders()
    // As a chunk, nothing would be the end.
    if (chunk.length === 0) return true
    if (!this.#isChunked) return this.#socket.write(chunk)
    this.#socket.cork()
    this.#socket.write(`${Buffer.byteLength(chunk).toString(16)}\r\n`, 'latin1')
    this.#socket.write(chunk)
    const hasRoom = this.#socket.write('\r\n', 'latin1')
    this.#socket.uncork()
    return hasRoom
  }

  end(body = '', encoding: BufferEncoding = 'utf8'): void {
    if (this.writableEnded) return
    if (!this.headersSent) this.writeHead(200, { 'content-length': Buffer.byteLength(body, encoding) })
    if (this.#isChunked && body !== '') return this.#endWith(body)
    this.writableEnded = true
    const text = this.#takeHead() + body + (this.#isChunked ? '0\r\n\r\n' : '')
    // Nobody hears what is said on a connection that was ended; the socket tells when it is gone.
    if (!this.#socket.writable) return
    if (this.#listeners) this.#socket.write(text, encoding, (error) => this.closed(!error))
    else if (text !== '') this.#socket.write(text, encoding)
    this.#ended(this.#isLast)
  }

  #endWith(body: string): void {
    this.write(body)
    this.end()
  }

  cork(): void {
    this.#socket.cork()
    process.nextTick(() => this.#socket.uncork())
  }

  /** Cuts the connection, unless that is somebody else's by now. */
  destroy(): void {
    if (!this.writableEnded) this.#socket.destroy()
  }

  once(_event: 'close', listener: () => void): void {
    this.#listeners ??= []
    this.#listeners.push(listener)
    if (this.destroyed) process.nextTick(() => this.closed(false))
  }

  /** Tells that it is over. */
  closed(isFlushed: boolean): void {
    this.#isFlushed = isFlushed
    const listeners = this.#listeners ?? []
    this.#listeners = []
    for (const listener of listeners) listener()
  }

  #takeHead(): string {
    const head = this.#head
    this.#head = ''
    return head
  }
}

function linesOf(headers: Headers): string {
  let lines = ''
  for (const name in headers) lines += lineOf(name, headers[name] ?? '')
  return lines
}

function lineOf(name: string, value: string | number): string {
  if (typeof value === 'string' && NO_VALUE.test(value)) throw new TypeError(`Not a value of the header ${name}`)
  return `${name}: ${value}\r\n`
}
