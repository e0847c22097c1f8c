import { inspect } from 'node:util'
import type { Secret } from './config.ts'

const SHOWN = '[secret]'

/** Wraps a value so that logs, JSON and `inspect` show `[secret]`. */
export function createSecret(value: string): Secret {
  return Object.freeze({
    reveal: () => value,
    toString: () => SHOWN,
    toJSON: () => SHOWN,
    [inspect.custom]: () => SHOWN,
  })
}

const SECRET_BYTES_MIN = 32
const DISTINCT_CHARACTERS_MIN = 8

/** Words of placeholders in tutorials, templates and `.env.example` files. */
const PLACEHOLDER =
  /change.?(me|this|it|in.?prod|before)|your.?(own.?|super.?|very.?|jwt.?)*(secret|key|256)|replace.?(me|this|with)|placeholder|super.?secret|not.?so.?secret|insert.?(your|a|secret)|at.?least.?(32|256)|default.?secret|secret.?key.?here|(my|dev|test|development|insecure).?secret|keyboard.?cat|correct.?horse|1234567890|abcdefghij|qwertyuiop/i

/** Keys that published examples contain to the letter. */
const PUBLISHED = new Set([
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  'a-string-secret-at-least-256-bits-long',
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
])

/** Why a signing key must not be used, or undefined. Never repeats the key. */
export function weaknessOf(key: string): string | undefined {
  const bytes = Buffer.byteLength(key)
  if (bytes < SECRET_BYTES_MIN) return `has ${bytes} bytes and needs at least ${SECRET_BYTES_MIN}`
  if (PUBLISHED.has(key) || PLACEHOLDER.test(key))
    return 'is a well-known example value; make one with: openssl rand -base64 48'
  if (new Set(key).size < DISTINCT_CHARACTERS_MIN || isRepeated(key))
    return 'repeats itself and is easy to guess; make one with: openssl rand -base64 48'
  return undefined
}

/** True for "abcabcabc…": a text that is found in its own doubling before its end has a period. */
function isRepeated(text: string): boolean {
  return (text + text).indexOf(text, 1) <= text.length / 2
}
