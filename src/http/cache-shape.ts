import type { CacheRuleBody } from '#contract/cache'
import type { CacheRule } from '#registry/records'
import { defined } from './defined.ts'

/** A rule as answers show it. */
export function cacheRuleBody(rule: CacheRule | null | undefined): CacheRuleBody {
  if (!rule) return null
  return defined({
    ttl_seconds: seconds(rule.ttlMs),
    stale_while_revalidate_seconds: seconds(rule.staleWhileRevalidateMs),
    stale_if_error_seconds: seconds(rule.staleIfErrorMs),
  })
}

/** A rule as a request names it; null for one that is taken away, undefined for one that is not mentioned. */
export function cacheRuleOf(body: CacheRuleBody | undefined): CacheRule | null | undefined {
  if (!body) return body
  return defined({
    ttlMs: milliseconds(body.ttl_seconds),
    staleWhileRevalidateMs: milliseconds(body.stale_while_revalidate_seconds),
    staleIfErrorMs: milliseconds(body.stale_if_error_seconds),
  })
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}

function milliseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000)
}
