import { AppError } from '#kernel/errors'

/** What is asked of a server. */
export interface HttpMessage {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its query. */
  readonly path: string
  /** Not those of the connection and the body: they are ours. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** What goes to the socket: text in latin1, or bytes. */
export type WireData = string | Buffer

const OURS = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const PATH = /^[\x21-\x7e]+$/

/** Writes requests to one host. The same headers, as an object, are looked at once: nobody may change them afterwards. */
export class RequestWriter {
  readonly #host: string
  readonly #known = new WeakMap<object, string>()

  constructor(host: string) {
    this.#host = host
  }

  /** Throws `validation_error` for a path or a header that would not arrive as what it is. */
  write({ method, path, headers, body }: HttpMessage): WireData {
    if (!PATH.test(path))
      throw new AppError('validation_error', 'The path of the address has characters that it must not')
    const start = `${method} ${path} HTTP/1.1\r\n${this.#linesOf(headers)}`
    if (body === undefined) return `${start}\r\n`
    const length = Buffer.byteLength(body)
    const head = `${start}content-length: ${length}\r\n\r\n`
    // Text of ASCII alone is the same bytes in both encodings, and cheaper to write as text.
    return length === body.length ? head + body : Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)])
  }

  #linesOf(headers: HttpMessage['headers']): string {
    const known = this.#known.get(headers)
    if (known !== undefined) return known
    const isHosted = Object.keys(headers).some((name) => name.toLowerCase() === 'host')
    const lines = linesOf(isHosted ? headers : { host: this.#host, ...headers })
    this.#known.set(headers, lines)
    return lines
  }
}

function linesOf(headers: HttpMessage['headers']): string {
  let lines = ''
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || !VALUE.test(value))
      throw new AppError('validation_error', `The header ${clean(name)} cannot be sent as it is`)
    if (OURS.has(name.toLowerCase()))
      throw new AppError('validation_error', `The header ${name} is the connection's own`)
    lines += `${name}: ${value}\r\n`
  }
  return lines
}

function clean(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 60)
}
