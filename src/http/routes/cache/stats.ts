import { cacheStats } from '#contract/cache'
import { endpoint } from '../../endpoint.ts'

export const getCacheStats = endpoint({
  method: 'GET',
  path: '/api/v1/cache/stats',
  access: 'cache:read',
  group: 'cache',
  summary: 'How often results were given again, and what is kept',
  status: 200,
  answer: cacheStats,

  handle({ results }) {
    const { hits, misses, second, ...stats } = results.stats()
    return {
      enabled: results.isEnabled,
      hits,
      stale_hits: stats.staleHits,
      shared: stats.shared,
      misses,
      hit_rate: hits + misses === 0 ? null : hits / (hits + misses),
      sets: stats.sets,
      evictions: stats.evictions,
      removed: stats.removed,
      refresh_failures: stats.refreshFailures,
      entries: stats.entries,
      bytes: stats.bytes,
      bytes_max: stats.bytesMax,
      redis: second ? { up: second.isUp, hits: second.hits, sets: second.sets, failures: second.failures } : null,
    }
  },
})
