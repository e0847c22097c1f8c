import type { CallResult } from '#gateway/call'
import { isJsonObject } from '#kernel/json'
import { editObject, memberText } from '#kernel/json-text'
import { META } from '#kernel/protocol'

/** The raw text of a result; one that was got for another call says so in its `_meta`. */
export function markedText({ text, value, cached }: CallResult): string {
  if (!cached) return text
  const metaText = isJsonObject(value['_meta']) ? (memberText(text, '_meta') ?? '{}') : '{}'
  const mark = `{"ageMs":${cached.ageMs},"stale":${cached.isStale}}`
  return editObject(text, { _meta: editObject(metaText, { [META.cached]: mark }) })
}
