import { createHash } from 'node:crypto'

/** Three keys of four-byte characters still fit the 2,704 bytes that PostgreSQL allows an index entry. */
const KEY_LENGTH_MAX = 200
const HASHED = 'sha256:'

/**
 * Stands for `text` in a searched column: the text itself where every engine can store and index it, else its hash.
 * Different texts have different keys.
 */
export function textKey(text: string): string {
  if (text.length <= KEY_LENGTH_MAX && isStorable(text) && !text.startsWith(HASHED)) return text
  return HASHED + createHash('sha256').update(JSON.stringify(text)).digest('hex')
}

const KEYS_MAX = 2000
const keys = new Map<string, string>()

/** The same, remembered: few names make most rows. */
export function keyOf(text: string): string {
  const known = keys.get(text)
  if (known !== undefined) return known
  if (keys.size >= KEYS_MAX) keys.clear()
  const key = textKey(text)
  keys.set(text, key)
  return key
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
