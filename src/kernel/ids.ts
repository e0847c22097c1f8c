import { randomBytes } from 'node:crypto'

const POOL_BYTES = 16 * 256
let pool = Buffer.alloc(0)
let used = 0

/** 16 random bytes; drawn in blocks, because one system call an id is the dearest part of making it. */
function draw(): Buffer {
  if (used >= pool.length) {
    pool = randomBytes(POOL_BYTES)
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}

/** A UUIDv7 (RFC 9562 §5.7): sorts by the millisecond it was made in. */
export function uuidv7(nowMs: number = Date.now()): string {
  const bytes = draw()
  bytes.writeUIntBE(nowMs, 0, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A W3C trace id: 32 hexadecimal digits, never all zero. */
export function traceId(): string {
  return draw().toString('hex')
}
