import type { LogFields } from '#kernel/logger'

const HIDDEN = '[redacted]'
const DEPTH_MAX = 8

/** Keys whose values are secrets or hold some; compared without case, "_" and "-". */
const SECRET_KEYS = new Set(
  'authorization proxyauthorization cookie setcookie headers rawheaders env key password passwd passphrase secret token apikey credential credentials'.split(
    ' ',
  ),
)
const SECRET_ENDINGS = /(password|secret|token|apikey|secretkey|privatekey|signingkey)$/

/** Secrets inside texts: bearer tokens, user and password of an address, query parameters by telling names. */
const IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/gi, `$1${HIDDEN}@`],
  [/([?&][\w-]*(?:token|key|secret|password|signature|code)=)[^&\s"']+/gi, `$1${HIDDEN}`],
]

/** Control characters (but line break and tab) and invisible or direction-changing ones: a log line must not steer a terminal. */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}]/gu

/** The same fields without secrets, errors as plain objects. Cuts what lies deeper than eight levels. */
export function redactFields(fields: LogFields): Record<string, unknown> {
  return redactMembers(fields, DEPTH_MAX)
}

function redactMembers(members: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(members).map(([key, value]) => [
    key,
    isSecret(key, value) ? HIDDEN : redact(value, depth),
  ])
  return Object.fromEntries(entries) as Record<string, unknown>
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (depth === 0) return '[deeper]'
  if (value instanceof Error) return redactMembers(errorFields(value), depth - 1)
  if (Array.isArray(value)) return value.map((each) => redact(each, depth - 1))
  return 'toJSON' in value ? value : redactMembers(value, depth - 1)
}

/** A text without the secrets that its form gives away, its unsafe characters made visible. */
function redactText(text: string): string {
  const hidden = IN_TEXT.reduce((shown, [pattern, replacement]) => shown.replaceAll(pattern, replacement), text)
  return hidden.replaceAll(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

function isSecret(key: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false
  const plain = key.toLowerCase().replaceAll(/[_-]/g, '')
  return SECRET_KEYS.has(plain) || SECRET_ENDINGS.test(plain)
}

function errorFields(error: Error): object {
  const { name, message, stack, cause } = error
  return Object.assign({ type: name, message, stack }, error, cause === undefined ? {} : { cause })
}
