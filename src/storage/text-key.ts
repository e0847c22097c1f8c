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

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
