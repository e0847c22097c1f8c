import type { Principal } from '#identity/principal'
import { canonicalJson } from '#kernel/canonical-json'
import { isJsonObject } from '#kernel/json'
import { membersOf } from '#kernel/json-text'
import { META } from '#kernel/protocol'
import { digest } from '#kernel/seal'
import { cacheKey } from '#resilience/cache-key'
import type { RoutedCall, TargetCache } from './call.ts'

/** Longer params are not worth their key. */
const PARAMS_CHARS_MAX = 65_536

/** Members that make a call a step in a conversation: what answers it answers nobody else. */
const OF_ONE_CALL = ['task', 'inputResponses', 'requestState']

/** Members of `_meta` that say who asks and how it is followed, not what is asked. */
const ABOUT_THE_ASKING = new Set<string>([
  ...Object.values(META),
  'progressToken',
  'traceparent',
  'tracestate',
  'baggage',
])

/**
 * Under what the result of a call is kept: all that it may depend on, above all for whom it is. Undefined for a call
 * whose result is for it alone.
 */
export function resultKey(call: RoutedCall, { revision }: TargetCache): string | undefined {
  const { params, paramsText, target, name, namespace, principal } = call
  if (paramsText.length > PARAMS_CHARS_MAX || OF_ONE_CALL.some((member) => member in params)) return undefined
  const asked = membersOf(paramsText)
    .filter(({ key }) => key !== 'name')
    .map(({ key, start, end }) => [key, canonicalMember(key, paramsText.slice(start, end))] as const)
    .filter(([, text]) => text !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const parts = [revision, target.originalName, scopeOf(principal), asked]
  return cacheKey({ tool: name, server: target.server, namespace, digest: digest(JSON.stringify(parts)) })
}

/** A result that one principal was given is never another's: upstreams may know who asks. */
function scopeOf({ id }: Principal): string {
  return id
}

/** Empty for what does not count. */
function canonicalMember(key: string, text: string): string {
  if (key !== '_meta' || !isJsonObject(JSON.parse(text))) return canonicalJson(text)
  const kept = membersOf(text).filter((member) => !ABOUT_THE_ASKING.has(member.key))
  const members = kept.map((member) => `${JSON.stringify(member.key)}:${text.slice(member.start, member.end)}`)
  return members.length === 0 ? '' : canonicalJson(`{${members.join(',')}}`)
}
