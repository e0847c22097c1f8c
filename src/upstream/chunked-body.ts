import { AppError } from '#kernel/errors'

/** Of a line with a size, and of all lines after the last chunk. */
const LINE_BYTES_MAX = 4096
const TRAILER_BYTES_MAX = 16_384
const SIZE_MAX = Number.MAX_SAFE_INTEGER / 16

const CR = 13
const LF = 10
const SEMICOLON = 59

type Part = 'size' | 'extension' | 'size-end' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'trailer-end' | 'done'

/** Reads one body in chunks (RFC 9112, §7.1), however it is cut into packets. */
export class ChunkedBody {
  #part: Part = 'size'
  #size = 0
  #digits = 0
  #lineBytes = 0
  #trailerBytes = 0

  get isDone(): boolean {
    return this.#part === 'done'
  }

  /** Gives the data on and answers how many bytes were the body's. Throws `upstream_protocol_error` for what is no chunk. */
  take(bytes: Buffer, data: (chunk: Buffer) => void): number {
    let at = 0
    while (at < bytes.length && this.#part !== 'done') {
      if (this.#part === 'data') at += this.#takeData(bytes, at, data)
      else {
        this.#takeByte(bytes[at] ?? 0)
        at += 1
      }
    }
    return at
  }

  #takeData(bytes: Buffer, at: number, data: (chunk: Buffer) => void): number {
    const length = Math.min(this.#size, bytes.length - at)
    data(bytes.subarray(at, at + length))
    this.#size -= length
    if (this.#size === 0) this.#part = 'data-cr'
    return length
  }

  #takeByte(byte: number): void {
    switch (this.#part) {
      case 'size':
        return this.#takeSize(byte)
      case 'extension':
        if (byte === CR) this.#part = 'size-end'
        else this.#countLine(byte)
        return
      case 'size-end':
        return this.#sizeEnds(byte)
      case 'data-cr':
        return this.#expect(byte, CR, 'data-lf')
      case 'data-lf':
        return this.#expect(byte, LF, 'size')
      case 'trailer':
      case 'trailer-end':
        return this.#takeTrailer(byte)
      case 'data':
      case 'done':
    }
  }

  #takeSize(byte: number): void {
    const digit = hexOf(byte)
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit
      this.#digits += 1
      if (this.#size > SIZE_MAX) throw broken()
    } else if (this.#digits === 0) throw broken()
    else if (byte === CR) this.#part = 'size-end'
    else if (byte === SEMICOLON) this.#part = 'extension'
    else throw broken()
  }

  #countLine(byte: number): void {
    this.#lineBytes += 1
    if (byte === LF || this.#lineBytes > LINE_BYTES_MAX) throw broken()
  }

  #sizeEnds(byte: number): void {
    this.#expect(byte, LF, this.#size === 0 ? 'trailer' : 'data')
    this.#digits = 0
    this.#lineBytes = 0
  }

  /** Lines of a trailer say nothing to us; an empty one is the end. */
  #takeTrailer(byte: number): void {
    if (this.#part === 'trailer-end') {
      this.#expect(byte, LF, this.#lineBytes === 0 ? 'done' : 'trailer')
      this.#lineBytes = 0
    } else if (byte === CR) this.#part = 'trailer-end'
    else {
      this.#lineBytes += 1
      this.#trailerBytes += 1
      if (byte === LF || this.#trailerBytes > TRAILER_BYTES_MAX) throw broken()
    }
  }

  #expect(byte: number, wanted: number, next: Part): void {
    if (byte !== wanted) throw broken()
    this.#part = next
  }
}

function hexOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 0x20
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

function broken(): AppError {
  return new AppError('upstream_protocol_error', 'The server sent a body in chunks that are none')
}
