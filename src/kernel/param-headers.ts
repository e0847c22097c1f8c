import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'

/** One tool argument that a header mirrors: `Mcp-Param-{header}` (2026-07-28, `x-mcp-header`). */
export interface ParamHeader {
  readonly header: string
  /** Where the argument is, through `properties` alone. */
  readonly path: readonly string[]
}

const ANNOTATION = 'x-mcp-header'
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const MIRRORED_TYPES = new Set<JsonValue | undefined>(['string', 'integer', 'boolean'])

/**
 * The headers that a tool's input schema asks for, or undefined when its annotations are invalid: not a header token,
 * used twice, on a type that no header can carry, or where `properties` alone does not lead.
 */
export function paramHeaders(inputSchema: JsonValue | undefined): readonly ParamHeader[] | undefined {
  const found: ParamHeader[] = []
  collect(inputSchema, [], found)
  const names = new Set(found.map(({ header }) => header.toLowerCase()))
  const isValid = names.size === found.length && found.every(({ header }) => TOKEN.test(header))
  return isValid && found.length === countAnnotations(inputSchema) ? found : undefined
}

function collect(schema: JsonValue | undefined, path: readonly string[], found: ParamHeader[]): void {
  const properties = isJsonObject(schema) ? schema['properties'] : undefined
  if (!isJsonObject(properties)) return
  for (const [name, property] of Object.entries(properties)) {
    if (!isJsonObject(property)) continue
    const header = property[ANNOTATION]
    if (typeof header === 'string' && MIRRORED_TYPES.has(property['type']))
      found.push({ header, path: [...path, name] })
    collect(property, [...path, name], found)
  }
}

/** All annotations, wherever they stand; a property that is merely called `x-mcp-header` is none. */
function countAnnotations(schema: JsonValue | undefined): number {
  if (Array.isArray(schema)) return schema.reduce<number>((sum, each: JsonValue) => sum + countAnnotations(each), 0)
  if (!isJsonObject(schema)) return 0
  const own = ANNOTATION in schema ? 1 : 0
  return Object.entries(schema).reduce((sum, [key, value]) => {
    const inner = key === 'properties' && isJsonObject(value) ? Object.values(value) : [value]
    return key === ANNOTATION ? sum : sum + inner.reduce<number>((count, each) => count + countAnnotations(each), 0)
  }, own)
}

/** The `Mcp-Param-*` headers of one call. Arguments that are absent or null have none. */
export function mirroredHeaders(plan: readonly ParamHeader[], args: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { header, path } of plan) {
    const value = argumentAt(args, path)
    if (value !== undefined) headers[`mcp-param-${header.toLowerCase()}`] = encodeHeaderValue(value)
  }
  return headers
}

/** The text of the argument that a header mirrors, or undefined when it is absent. */
export function argumentAt(args: JsonObject, path: readonly string[]): string | undefined {
  let value: JsonValue | undefined = args
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/
const WRAPPED = /^=\?base64\?(.*)\?=$/s
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** A header value for any text: itself when it is plain ASCII, else wrapped as `=?base64?…?=`. */
export function encodeHeaderValue(text: string): string {
  return PLAIN.test(text) && !WRAPPED.test(text) ? text : `=?base64?${Buffer.from(text, 'utf8').toString('base64')}?=`
}

/** The text behind a header value, or undefined when a wrapped one has a bad alphabet or padding. */
export function decodeHeaderValue(value: string): string | undefined {
  const wrapped = WRAPPED.exec(value)?.[1]
  if (wrapped === undefined) return value
  return BASE64.test(wrapped) ? Buffer.from(wrapped, 'base64').toString('utf8') : undefined
}
