import { connect, type Socket } from 'node:net'

export interface Reply {
  readonly status: number
  /** Status line and headers as they came. */
  readonly head: string
  readonly body: string
}

type Done = (error: string | undefined, reply: Reply) => void

const NO_REPLY: Reply = { status: 0, head: '', body: '' }

/**
 * A keep-alive HTTP/1.1 connection with one request in flight. Cheap on purpose (about 11 µs a request):
 * what is measured is the gateway and not the client.
 */
export class Connection {
  readonly #port: number
  readonly #timeoutMs: number
  #socket: Socket | undefined
  #chunks: Buffer[] = []
  #size = 0
  /** Nothing to parse before this many bytes have come. */
  #needed = 0
  #done: Done | undefined
  #sentAt = 0

  constructor(port: number, timeoutMs = 15_000) {
    this.#port = port
    this.#timeoutMs = timeoutMs
  }

  send(payload: string, done: Done): void {
    this.#done = done
    this.#sentAt = Date.now()
    if (this.#socket === undefined || !this.#socket.writable) this.#open()
    this.#socket?.write(payload)
  }

  request(payload: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.expire(Infinity), this.#timeoutMs)
      this.send(payload, (error, reply) => {
        clearTimeout(timer)
        if (error === undefined) resolve(reply)
        else reject(new Error(error))
      })
    })
  }

  /** Gives up on a request that waits too long; the owner calls it now and then. */
  expire(now: number): void {
    if (this.#done !== undefined && now - this.#sentAt > this.#timeoutMs) this.#fail('timeout')
  }

  close(): void {
    this.#done = undefined
    this.#socket?.destroy()
  }

  #open(): void {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    this.#socket = socket
    this.#reset()
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error.message))
    socket.on('close', () => {
      if (this.#socket === socket) this.#fail('closed')
    })
  }

  #fail(why: string): void {
    const done = this.#done
    const socket = this.#socket
    this.#done = undefined
    this.#socket = undefined
    socket?.destroy()
    done?.(why, NO_REPLY)
  }

  #reset(): void {
    this.#chunks = []
    this.#size = 0
    this.#needed = 0
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size < this.#needed) return
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    this.#chunks = [bytes]
    const reply = this.#parse(bytes)
    if (reply === undefined) return
    this.#reset()
    const done = this.#done
    this.#done = undefined
    done?.(undefined, reply)
  }

  #parse(bytes: Buffer): Reply | undefined {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const head = bytes.toString('latin1', 0, end)
    const status = Number(head.slice(9, 12))
    const start = end + 4
    const length = headerOf(head, 'content-length')
    if (length !== undefined || status === 202 || status === 204) {
      this.#needed = start + Number(length ?? 0)
      return bytes.length < this.#needed
        ? undefined
        : { status, head, body: bytes.toString('utf8', start, this.#needed) }
    }
    const body = unchunk(bytes, start)
    return body === undefined ? undefined : { status, head, body }
  }
}

export function headerOf(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`)
  if (at < 0) return undefined
  const end = head.indexOf('\r\n', at + 2)
  return head.slice(at + name.length + 3, end < 0 ? undefined : end).trim()
}

/** The text of a complete chunked body, undefined while it is not complete. */
function unchunk(bytes: Buffer, start: number): string | undefined {
  const parts: Buffer[] = []
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
