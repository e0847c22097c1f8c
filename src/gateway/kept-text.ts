import { isJsonObject, stringAt, type JsonObject, type JsonValue } from '#kernel/json'
import type { Kept } from '#resilience/kept-values'
import type { KeptResult } from './result-cache.ts'

const TIMES = ['storedAt', 'freshUntil', 'staleUntil', 'spareUntil'] as const

/** A kept result as another gateway, perhaps of another version, wrote it. Throws for what is none. */
export function readKept(text: string): Kept<KeptResult> {
  const kept = JSON.parse(text) as JsonValue
  const value = isJsonObject(kept) ? kept['value'] : undefined
  if (!isJsonObject(kept) || !isJsonObject(value) || !isResult(value)) throw new Error('no result')
  if (TIMES.some((name) => typeof kept[name] !== 'number')) throw new Error('no times')
  return kept as unknown as Kept<KeptResult>
}

function isResult(value: JsonObject): boolean {
  const era = stringAt(value, 'era')
  const text = stringAt(value, 'text')
  const isKnown = stringAt(value, 'server') !== undefined && (era === 'legacy' || era === 'modern')
  return isKnown && text !== undefined && isJsonObject(JSON.parse(text))
}
