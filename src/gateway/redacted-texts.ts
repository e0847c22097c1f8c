import type { JsonObject } from '#kernel/json'
import { MASK } from '#kernel/masks'
import { redacted } from '#kernel/redact'

/** JSON within JSON within JSON. */
const LEVELS_MAX = 3

/** Results often say again as text what they say as JSON: such texts without what is secret. */
export function redactedTexts(value: unknown, schema: JsonObject | undefined, levels = LEVELS_MAX): unknown {
  if (typeof value === 'string') return redactedText(value, schema, levels)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each) => redactedTexts(each, schema, levels))
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, redactedTexts(each, schema, levels)]))
}

function redactedText(text: string, schema: JsonObject | undefined, levels: number): string {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    const value: unknown = JSON.parse(text)
    // What hides deeper is not looked for, and so not kept.
    return levels === 0 ? MASK : JSON.stringify(redactedTexts(redacted(value, schema), schema, levels - 1))
  } catch {
    return text
  }
}
