export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined
}

/** True for `{…}`, false for arrays and null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `value[key]` when it is an object, else undefined: for reading foreign JSON without trusting it. */
export function objectAt(value: JsonValue | undefined, key: string): JsonObject | undefined {
  const member = isJsonObject(value) ? value[key] : undefined
  return isJsonObject(member) ? member : undefined
}

/** `value[key]` when it is a string, else undefined. */
export function stringAt(value: JsonValue | undefined, key: string): string | undefined {
  const member = isJsonObject(value) ? value[key] : undefined
  return typeof member === 'string' ? member : undefined
}
