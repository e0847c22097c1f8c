import { z } from 'zod'

const JSON_BYTES_MAX = 262_144
const JSON_DEPTH_MAX = 64

/** Text that every store can hold and give back: no U+0000, no half of a surrogate pair. */
export const text = (lengthMax: number): z.ZodString =>
  z.string().max(lengthMax).refine(isStorable, 'holds U+0000 or half of a surrogate pair')

/** A name of 1 to 128 characters, any script and punctuation; no control characters, no blanks at its ends. */
export const name = z
  .string()
  .min(1)
  .max(128)
  .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value), 'holds a control character')
  .refine((value) => value.trim() === value, 'begins or ends with a blank')
  .refine((value) => value !== '.' && value !== '..', 'is a step in a path, also percent-encoded: no URL could name it')

/** A JSON object that is kept as it is. */
export const jsonObject = z
  .custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'must be an object',
  })
  .refine((value) => depthOf(value) <= JSON_DEPTH_MAX, `is nested deeper than ${JSON_DEPTH_MAX}`)
  .refine((value) => JSON.stringify(value).length <= JSON_BYTES_MAX, `is longer than ${JSON_BYTES_MAX} characters`)
  .refine((value) => isStorableJson(value), 'holds U+0000 or half of a surrogate pair')
  .meta({ type: 'object', additionalProperties: true })

/** The JSON Schema of arguments or results: an object schema. */
export const objectSchema = jsonObject
  .refine((value) => value['type'] === 'object', 'must be an object schema: "type" is "object"')
  .meta({ type: 'object', additionalProperties: true })

/** An RFC 3339 time in UTC, as answers carry it. */
export const timestamp = z.string().meta({ format: 'date-time' })

/** An RFC 3339 time with any offset, as callers may write it. */
export const timeInput = z.iso.datetime({ offset: true })

/** Headers that are sent to a server. */
export const headers = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, 'is no header name'),
    z
      .string()
      .max(8192)
      .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'is no header value'),
  )
  .refine((value) => Object.keys(value).length <= 100, 'has more than 100 headers')

/** An absolute http or https URL that carries no user or password. */
export const httpUrl = text(4096).refine(isHttpUrl, 'must be an http or https URL without user and password')

export const timeoutMs = z.int().min(1).max(86_400_000)
const breakerRules = z.strictObject({
  failures: z.int().min(1).max(1000),
  recovery_seconds: z.number().min(0.1).max(86_400),
  successes: z.int().min(1).max(1000),
})

/** How calls fare that meet trouble; null takes what was said back. */
export const endurance = {
  breaker: breakerRules.partial().nullable().describe('Where its breaker differs from the settings'),
  retry: z
    .strictObject({ attempts: z.int().min(1).max(10) })
    .nullable()
    .describe('How often a call is tried at most'),
}

export const tags = z.array(text(64).min(1)).max(64)

/** Which part of a list is wanted. */
export const page = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
}

/** What every list answers beside its items. */
export const pageInfo = { total: z.int(), limit: z.int(), offset: z.int() }

/** An answer without a body. */
export const noContent = z.void().meta({ type: 'null' })

function isStorable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed()
}

function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return isStorable(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, member]) => isStorable(key) && isStorableJson(member))
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Object.values(value).reduce((deepest: number, member) => Math.max(deepest, depthOf(member)), 0)
}

function isHttpUrl(value: string): boolean {
  const url = URL.parse(value)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false
  return url.username === '' && url.password === '' && !/[{}]|%7b|%7d/i.test(url.host)
}
