import type { LogFields } from '#kernel/logger'
import { isSecretName } from '#kernel/masks'

const HIDDEN = '[redacted]'
const DEPTH_MAX = 8

/** Members whose every value may be a secret, whatever its name; compared without case, "_" and "-". */
const OF_SECRETS = new Set(['headers', 'rawheaders', 'env'])

/** Secrets inside texts: bearer tokens, user and password of an address. */
const IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/gi, `$1${HIDDEN}@`],
]
/** Parameters of a query, which are secret by telling names; the code of a login is one here. */
const IN_QUERY = /([?&]([\w.-]+)=)[^&\s"']+/g

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
  const without = hidden.replaceAll(IN_QUERY, (pair, head: string, name: string) =>
    isSecretName(name) || name === 'code' ? head + HIDDEN : pair,
  )
  return without.replaceAll(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** Numbers are counts. */
function isSecret(key: string, value: unknown): boolean {
  if ((typeof value !== 'string' && typeof value !== 'object') || value === null) return false
  return isSecretName(key) || OF_SECRETS.has(key.toLowerCase().replaceAll(/[_-]/g, ''))
}

function errorFields(error: Error): object {
  const { name, message, stack, cause } = error
  return Object.assign({ type: name, message, stack }, error, cause === undefined ? {} : { cause })
}
