import { isJsonObject, objectAt, type JsonValue } from '#kernel/json'
import { CliError } from './cli-error.ts'

/** `key=value` pairs as the text of a JSON object; each value is read as the type that the tool's schema names. */
export function argumentsText(pairs: readonly string[], schema: JsonValue | undefined): string {
  const properties = objectAt(schema, 'properties')
  const members = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw new CliError(`"${pair}" is no argument; write key=value`)
    const key = pair.slice(0, at)
    members.set(key, valueText(key, pair.slice(at + 1), typesOf(properties?.[key])))
  }
  return `{${[...members].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
}

/** Without a schema a value is JSON where it reads as JSON and text where it does not. */
function valueText(key: string, text: string, types: readonly string[]): string {
  const isAny = types.length === 0
  const type = typeOfJson(text)
  if (types.length === 1 && types[0] === 'string') return JSON.stringify(text)
  if (type !== undefined && (isAny || fits(type, text, types))) return text
  if (isAny || types.includes('string')) return JSON.stringify(text)
  throw new CliError(`The argument ${key} must be ${types.join(' or ')}, not "${text}"`)
}

function fits(type: string, text: string, types: readonly string[]): boolean {
  if (types.includes(type)) return true
  return type === 'number' && types.includes('integer') && Number.isInteger(Number(text))
}

/** The JSON type that a text spells, or undefined for what is no JSON. */
function typeOfJson(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (value === null) return 'null'
    return Array.isArray(value) ? 'array' : typeof value
  } catch {
    return undefined
  }
}

/** The types that a property's schema allows; none means any. */
function typesOf(schema: JsonValue | undefined): string[] {
  if (!isJsonObject(schema)) return []
  const { type, anyOf, oneOf } = schema
  if (typeof type === 'string') return [type]
  if (Array.isArray(type)) return type.filter((each) => typeof each === 'string')
  const choices = [anyOf, oneOf].find((each) => Array.isArray(each)) ?? []
  return Array.isArray(choices) ? choices.flatMap((choice: JsonValue) => typesOf(choice)) : []
}
