import type { Family } from './metrics.ts'

interface CacheFacts {
  readonly hits: number
  readonly shared: number
  readonly misses: number
  readonly sets: number
  readonly evictions: number
  readonly removed: number
  readonly entries: number
  readonly bytes: number
  /** Undefined for a gateway that shares results with none. */
  readonly second: { readonly hits: number; readonly failures: number } | undefined
}

type Count = 'hits' | 'shared' | 'misses' | 'sets' | 'evictions' | 'removed'

const COUNTERS: readonly (readonly [name: string, count: Count, help: string])[] = [
  ['metamcp_cache_hits_total', 'hits', 'Calls that a kept result answered.'],
  ['metamcp_cache_shared_total', 'shared', 'Calls that waited for an equal one that was under way.'],
  ['metamcp_cache_misses_total', 'misses', 'Calls of tools with a cache that went to the server.'],
  ['metamcp_cache_sets_total', 'sets', 'Results that were kept.'],
  ['metamcp_cache_evictions_total', 'evictions', 'Results that were thrown out for lack of room.'],
  ['metamcp_cache_removed_total', 'removed', 'Results that were invalidated.'],
]

export function cacheMetrics(facts: () => CacheFacts): Family[] {
  const counter = (name: string, help: string, valueOf: (facts: CacheFacts) => number): Family => ({
    name,
    help,
    type: 'counter',
    read: () => [{ value: valueOf(facts()) }],
  })
  const gauge = (name: string, help: string, valueOf: (facts: CacheFacts) => number): Family => ({
    name,
    help,
    type: 'gauge',
    read: () => [{ value: valueOf(facts()) }],
  })
  return [
    ...COUNTERS.map(([name, count, help]) => counter(name, help, (each) => each[count])),
    counter(
      'metamcp_cache_redis_hits_total',
      'Hits that were found in Redis, not in memory.',
      (each) => each.second?.hits ?? 0,
    ),
    counter(
      'metamcp_cache_redis_failures_total',
      'What Redis was asked for results in vain.',
      (each) => each.second?.failures ?? 0,
    ),
    gauge('metamcp_cache_entries', 'Results that are kept.', (each) => each.entries),
    gauge('metamcp_cache_bytes', 'Memory that kept results take.', (each) => each.bytes),
  ]
}
