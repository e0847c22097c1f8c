import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 16 * 256
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/** Where the next 16 random bytes of the pool begin; drawn in blocks, because a system call an id is the dearest part of making it. */
function draw(): number {
  if (used === POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return used - 16
}

/** A UUIDv7 (RFC 9562 §5.7): sorts by the millisecond it was made in. */
export function uuidv7(nowMs: number = Date.now()): string {
  const at = draw()
  pool.writeUIntBE(nowMs, at, 6)
  pool[at + 6] = ((pool[at + 6] ?? 0) & 0x0f) | 0x70
  pool[at + 8] = ((pool[at + 8] ?? 0) & 0x3f) | 0x80
  let to = 0
  for (let byte = 0; byte < 16; byte += 1) {
    if (byte >= 4 && byte <= 10 && byte % 2 === 0) uuid[to++] = DASH
    const value = pool[at + byte] ?? 0
    uuid[to++] = DIGITS.charCodeAt(value >> 4)
    uuid[to++] = DIGITS.charCodeAt(value & 0x0f)
  }
  // One flat string: pieces put together would stay pieces for as long as somebody keeps them.
  return uuid.toString('latin1')
}

const uuid = Buffer.alloc(36)
const DIGITS = '0123456789abcdef'
const DASH = 0x2d

/** A W3C trace id: 32 hexadecimal digits, never all zero. */
export function traceId(): string {
  const at = draw()
  return pool.toString('hex', at, at + 16)
}
