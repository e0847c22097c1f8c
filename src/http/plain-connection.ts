import type { Socket } from 'node:net'
import type { WholeRequest } from '#mcp/http-exchange'
import type { PlainClock } from './plain-clock.ts'
import { BODY_BYTES_MAX, readPlainHead, type PlainHead } from './plain-head.ts'
import { PlainResponse } from './plain-response.ts'

/** Whose connections they are. */
export interface PlainOwner {
  readonly clock: PlainClock
  /** Whether requests to this target may be answered here. */
  takes(url: string): boolean
  serve(request: WholeRequest, response: PlainResponse): void
  /** Takes over for good: nothing of what the connection has still to say is read here. */
  handOver(socket: Socket): void
  /** The connection ended in the middle of a request. */
  cutShort(socket: Socket): void
  /** It is nobody's any more, or somebody else's. Called once. */
  left(connection: PlainConnection): void
}

const HEAD_END = '\r\n\r\n'
/** No client that waits for its answers says so much meanwhile. */
const EARLY_BYTES_MAX = 4 * BODY_BYTES_MAX

/** A connection as long as all that comes on it are plain requests, one after the other. */
export class PlainConnection {
  readonly #socket: Socket
  readonly #owner: PlainOwner
  /** What came and is not answered yet. */
  #unread: Buffer | undefined
  /** Clients say the same again and again. */
  #headText = ''
  #head: PlainHead | undefined
  #response: PlainResponse | undefined
  /** The answer before is not taken yet. */
  #isDraining = false
  /** Epoch milliseconds: when it was made, the last answer was taken, or the begin of a request came. */
  #since = Date.now()
  #isUsed = false

  constructor(socket: Socket, owner: PlainOwner) {
    this.#socket = socket
    this.#owner = owner
    socket.on('data', this.#take)
    socket.on('end', this.#ended)
    socket.on('error', this.#failed)
    socket.on('close', this.#closed)
  }

  /** It has been asked, nothing is asked or half asked now, and all answers are read. */
  get isIdle(): boolean {
    return this.#isUsed && !this.#isBusy && !this.#unread
  }

  /** Whoever is slow to ask is node's to wait for; who was answered and does not ask again has `idleMs`. */
  sweep(now: number, { lateMs, idleMs }: { readonly lateMs: number; readonly idleMs: number }): void {
    if (this.#isBusy) this.#since = now
    const silentMs = now - this.#since
    if (this.#unread || !this.#isUsed) {
      if (silentMs > lateMs) this.#handOver(this.#unread)
    } else if (silentMs > idleMs) this.destroy()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  get #isBusy(): boolean {
    return this.#response !== undefined || this.#isDraining || this.#socket.writableLength > 0
  }

  readonly #take = (chunk: Buffer): void => {
    const bytes = this.#unread ? Buffer.concat([this.#unread, chunk]) : chunk
    if (this.#response || this.#isDraining) this.#keep(bytes)
    else this.#read(bytes)
  }

  /** Until the answer before is out. A socket that is paused would not tell that its client is gone. */
  #keep(bytes: Buffer): void {
    this.#unread = bytes
    if (bytes.length > EARLY_BYTES_MAX) this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    const headEnd = bytes.indexOf(HEAD_END)
    const head = headEnd < 0 ? undefined : this.#headOf(bytes.toString('latin1', 0, headEnd + 2))
    const bodyStart = headEnd + HEAD_END.length
    if (!head || bytes.length > bodyStart + head.length) return this.#handOver(bytes)
    if (bytes.length < bodyStart + head.length) {
      if (!this.#unread) this.#since = Date.now()
      this.#unread = bytes
      return
    }
    this.#unread = undefined
    this.#serve(head, bytes.subarray(bodyStart))
  }

  #headOf(text: string): PlainHead | undefined {
    if (text === this.#headText) return this.#head
    const head = readPlainHead(text)
    if (!head || !this.#owner.takes(head.url)) return undefined
    this.#headText = text
    this.#head = head
    return head
  }

  #serve({ url, headers }: PlainHead, body: Buffer): void {
    const socket = this.#socket
    this.#response = new PlainResponse(socket, this.#owner.clock, this.#answered)
    this.#owner.serve({ method: 'POST', url, headers, socket, body }, this.#response)
  }

  readonly #answered = (isLast: boolean): void => {
    this.#response = undefined
    this.#isUsed = true
    if (isLast) this.#socket.destroySoon()
    else if (this.#socket.writableNeedDrain) {
      this.#isDraining = true
      this.#socket.once('drain', this.#drained)
    } else this.#goOn()
  }

  readonly #drained = (): void => {
    this.#isDraining = false
    this.#goOn()
  }

  /** Whoever sends a request before the answer to the last one is node's. */
  #goOn(): void {
    this.#since = Date.now()
    if (this.#unread) process.nextTick(this.#giveEarly)
  }

  readonly #giveEarly = (): void => {
    if (this.#unread && !this.#socket.destroyed) this.#handOver(this.#unread)
  }

  #handOver(bytes: Buffer | undefined): void {
    const socket = this.#socket
    this.#unread = undefined
    socket.pause()
    socket.off('data', this.#take)
    socket.off('end', this.#ended)
    socket.off('error', this.#failed)
    socket.off('close', this.#closed)
    if (bytes) socket.unshift(bytes)
    this.#owner.left(this)
    this.#owner.handOver(socket)
    socket.resume()
  }

  /** Whoever says no more does not wait for an answer either. What was answered is still sent. */
  readonly #ended = (): void => {
    const isHalfAsked = this.#unread && !this.#response && !this.#isDraining
    this.#unread = undefined
    if (isHalfAsked) this.#owner.cutShort(this.#socket)
    else this.#socket.end()
  }

  readonly #failed = (): void => {
    this.#socket.destroy()
  }

  readonly #closed = (): void => {
    this.#unread = undefined
    this.#owner.left(this)
    this.#response?.closed(false)
  }
}
