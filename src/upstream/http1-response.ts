import { AppError } from '#kernel/errors'
import { ChunkedBody } from './chunked-body.ts'

/** By name in lower case; of several with one name the values are joined. */
export type ResponseHeaders = Readonly<Record<string, string>>

/** Hears of one response after the other. */
export interface ResponseSink {
  head(status: number, headers: ResponseHeaders): void
  /** The last chunk is good until `end` has returned, those before for good. */
  data(chunk: Buffer): void
  /** The connection can take another request for so many milliseconds; 0 where it cannot. */
  end(keepAliveMs: number): void
}

/** As large as those that Node itself takes. */
const HEAD_BYTES_MAX = 16_384
/** A server that keeps connections for so long may end one just before: this much earlier nothing is sent on it. */
const KEEP_ALIVE_MARGIN_MS = 1000

const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING: Buffer = Buffer.alloc(0)

interface Head {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly keepAliveMs: number
  /** Bytes of the body, or how its end is known. */
  readonly body: number | 'chunked' | 'until-close'
}

type Part = 'head' | 'sized' | 'chunked' | 'until-close' | 'done'

/**
 * Reads the responses of one connection (RFC 9112). Where two parsers could read one differently it throws
 * `upstream_protocol_error`, and the connection is over.
 */
export class ResponseReader {
  readonly #sink: ResponseSink
  readonly #keepAliveMs: number
  #part: Part = 'done'
  #beginning: Buffer = NOTHING
  #left = 0
  #chunked: ChunkedBody | undefined
  #head: Head | undefined
  /** A server's heads are alike from one second to the next. */
  #lastText = ''
  #lastHead: Head | undefined

  /** `keepAliveMs`: how long connections are kept where the server does not ask for less. */
  constructor(sink: ResponseSink, keepAliveMs: number) {
    this.#sink = sink
    this.#keepAliveMs = keepAliveMs
  }

  /** A request was sent: its response comes next. */
  begin(): void {
    this.#part = 'head'
  }

  /** The bytes may be written over as soon as this has returned. */
  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) rest = this.#take(rest)
  }

  /** The server has closed the connection: answers whether that is how the response ends. */
  close(): boolean {
    if (this.#part !== 'until-close') return false
    this.#end(NOTHING)
    return true
  }

  /** Answers what is left. */
  #take(bytes: Buffer): Buffer {
    switch (this.#part) {
      case 'head':
        return this.#takeHead(bytes)
      case 'sized':
        return this.#takeSized(bytes)
      case 'chunked':
        return this.#takeChunked(bytes)
      case 'until-close':
        this.#sink.data(Buffer.from(bytes))
        return NOTHING
      case 'done':
        throw fault('more than was asked for')
    }
  }

  #takeHead(bytes: Buffer): Buffer {
    const all = this.#beginning.length === 0 ? bytes : Buffer.concat([this.#beginning, bytes])
    const end = all.indexOf(HEAD_END)
    if ((end < 0 ? all.length : end) > HEAD_BYTES_MAX) throw fault(`a head of more than ${HEAD_BYTES_MAX} bytes`)
    if (end < 0) {
      this.#beginning = all === bytes ? Buffer.from(bytes) : all
      return NOTHING
    }
    this.#beginning = NOTHING
    const head = this.#headOf(all.toString('latin1', 0, end))
    const rest = all.subarray(end + HEAD_END.length)
    // 1xx: the answer itself is still to come.
    if (head.status >= 200) this.#start(head, rest)
    return this.#part === 'done' ? NOTHING : rest
  }

  #headOf(text: string): Head {
    if (this.#lastHead && text === this.#lastText) return this.#lastHead
    this.#lastText = text
    this.#lastHead = readHead(text, this.#keepAliveMs)
    return this.#lastHead
  }

  #start(head: Head, rest: Buffer): void {
    const { body } = head
    this.#head = head
    this.#sink.head(head.status, head.headers)
    if (typeof body === 'number') this.#left = body
    this.#part = typeof body === 'number' ? 'sized' : body
    if (body === 0) this.#end(rest)
  }

  #takeSized(bytes: Buffer): Buffer {
    const own = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
    this.#left -= own.length
    this.#sink.data(this.#left === 0 ? own : Buffer.from(own))
    if (this.#left === 0) this.#end(bytes.subarray(own.length))
    return NOTHING
  }

  #takeChunked(bytes: Buffer): Buffer {
    const body = (this.#chunked ??= new ChunkedBody())
    const taken = body.take(bytes, (chunk) => this.#sink.data(Buffer.from(chunk)))
    if (body.isDone) this.#end(bytes.subarray(taken))
    return NOTHING
  }

  /** What comes after the end was not asked for: nothing more is asked here. */
  #end(rest: Buffer): void {
    const keepAliveMs = rest.length > 0 ? 0 : (this.#head?.keepAliveMs ?? 0)
    this.#part = 'done'
    this.#chunked = undefined
    this.#head = undefined
    this.#sink.end(keepAliveMs)
  }
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/

function readHead(text: string, keepAliveMsMax: number): Head {
  const lines = text.split('\r\n')
  const [, minor, code] = STATUS_LINE.exec(lines[0] ?? '') ?? []
  if (code === undefined) throw fault('no HTTP/1.1 response')
  const headers = headersOf(lines)
  const status = Number(code)
  if (status === 101) throw fault('another protocol')
  const body = bodyOf(status, headers)
  const keepAliveMs = minor === '1' && body !== 'until-close' ? keepAliveOf(headers, keepAliveMsMax) : 0
  return { status, headers, keepAliveMs, body }
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (let index = 1; index < lines.length; index += 1) {
    const [, written, value] = HEADER_LINE.exec(lines[index] ?? '') ?? []
    if (written === undefined || value === undefined) throw fault('a header that is none')
    const name = written.toLowerCase()
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}, ${value}`
  }
  return headers
}

/** RFC 9112, §6.3. Two that say how long it is are two readings. */
function bodyOf(status: number, headers: ResponseHeaders): Head['body'] {
  const { 'transfer-encoding': coding, 'content-length': length } = headers
  if (coding !== undefined && length !== undefined) throw fault('two lengths')
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw fault(`a body coded as ${coding.slice(0, 40)}`)
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw fault('a length that is none')
  if (status < 200 || status === 204 || status === 304) return 0
  if (coding !== undefined) return 'chunked'
  return length === undefined ? 'until-close' : Number(length)
}

function keepAliveOf({ connection = '', 'keep-alive': hint = '' }: ResponseHeaders, msMax: number): number {
  if (/\bclose\b/i.test(connection)) return 0
  const seconds = /\btimeout=(\d{1,6})\b/i.exec(hint)?.[1]
  return seconds === undefined ? msMax : Math.max(0, Math.min(msMax, Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS))
}

function fault(what: string): AppError {
  return new AppError('upstream_protocol_error', `The server answered with ${what}`)
}
