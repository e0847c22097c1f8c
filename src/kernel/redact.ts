import { isJsonObject } from './json.ts'
import { isSecretName, MASK, maskArguments, maskUrl } from './masks.ts'

const DEPTH_MAX = 32

/** Members whose every value may be a secret, whatever its name. */
const OF_SECRETS = new Set(['env', 'headers'])

/**
 * The value without what is secret: by its JSON Schema (`writeOnly`, `format: password`), by telling names, and in addresses
 * and command lines. What lies deeper than 32 levels is left out.
 */
export function redacted(value: unknown, schema?: unknown): unknown {
  return without(value, { root: schema, schemas: schema === undefined ? [] : [schema], depth: DEPTH_MAX })
}

interface Place {
  readonly root: unknown
  /** All that says something about this value. */
  readonly schemas: readonly unknown[]
  readonly depth: number
}

function without(value: unknown, { root, schemas, depth }: Place): unknown {
  const known = schemas.flatMap((schema) => parts(schema, root))
  if (known.some(isSecretSchema)) return MASK
  if (typeof value === 'string') return maskUrl(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return MASK
  if (Array.isArray(value))
    return value.map((each) => without(each, { root, schemas: known.flatMap(itemSchemas), depth: depth - 1 }))
  const members = Object.entries(value).map(([name, member]) => {
    const schemas = known.flatMap((schema) => memberSchemas(schema, name))
    return [name, memberWithout(name, member, { root, schemas, depth: depth - 1 })]
  })
  return Object.fromEntries(members)
}

function memberWithout(name: string, value: unknown, place: Place): unknown {
  if (OF_SECRETS.has(name) && isJsonObject(value))
    return Object.fromEntries(Object.keys(value).map((each) => [each, MASK]))
  if (name === 'args' && Array.isArray(value) && value.every((each) => typeof each === 'string'))
    return maskArguments(value)
  const mayBeSecret = value !== null && typeof value !== 'boolean' && typeof value !== 'undefined'
  return mayBeSecret && isSecretName(name) ? MASK : without(value, place)
}

/** The schema itself and what it is put together from, each once: a server may have written one that leads to itself. */
function parts(schema: unknown, root: unknown, seen = new Set<unknown>()): readonly Record<string, unknown>[] {
  if (!isJsonObject(schema) || seen.has(schema)) return []
  seen.add(schema)
  const { $ref: reference, allOf, anyOf, oneOf, then, else: otherwise } = schema
  const others = [allOf, anyOf, oneOf].flatMap((each) => (Array.isArray(each) ? (each as unknown[]) : []))
  const all = [...others, then, otherwise, typeof reference === 'string' ? pointed(root, reference) : undefined]
  return [schema, ...all.flatMap((each) => parts(each, root, seen))]
}

/** Within the same schema: `#/$defs/key`. */
function pointed(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined
  const steps = reference.slice(1).split('/').slice(1)
  return steps.reduce<unknown>((at, step) => {
    return isJsonObject(at) ? at[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  }, root)
}

function isSecretSchema(schema: Record<string, unknown>): boolean {
  return schema['writeOnly'] === true || schema['format'] === 'password'
}

function itemSchemas({ items, prefixItems }: Record<string, unknown>): unknown[] {
  return [items, ...(Array.isArray(prefixItems) ? (prefixItems as unknown[]) : [])]
}

function memberSchemas(schema: Record<string, unknown>, name: string): unknown[] {
  const { properties, patternProperties: patterns, additionalProperties } = schema
  const own = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
  // Patterns of servers are not run: what one of them says holds for each name.
  return [own ?? additionalProperties, ...(isJsonObject(patterns) ? Object.values(patterns) : [])]
}
