import type { PastSearch, SearchHistoryQuery, SearchStatsBody, TypeStats } from '#contract/search-history'
import type { Principal } from '#identity/principal'
import type { MissedQuery, SearchFilter, SearchModeStats, SearchRecord, SearchStats } from '#search/searches'
import { defined } from './defined.ts'
import { isoTime } from './page.ts'

/** A search of the history as answers show it. */
export function pastSearchOf(search: SearchRecord): PastSearch {
  return {
    search_id: search.id,
    principal: search.principal,
    query: search.query,
    search_type: search.mode,
    namespace: search.namespace ?? null,
    surface: search.surface,
    found: search.found,
    total: search.total,
    cached: search.cached,
    started_at: isoTime(search.startedAt),
    duration_ms: search.durationMs,
  }
}

/** Whatever is asked for, it is of one's own searches. */
export function ownSearches({ id }: Principal, query: SearchHistoryQuery): SearchFilter {
  const { search_type: mode, from, to, limit, offset } = query
  return { principal: id, ...defined({ mode, from: timeOf(from), to: timeOf(to) }), limit, offset }
}

export function timeOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time)
}

export function searchStatsBody(stats: SearchStats, missed: readonly MissedQuery[]): SearchStatsBody {
  const { keyword, semantic, hybrid } = stats
  const total = keyword.count + semantic.count + hybrid.count
  const hits = keyword.cached + semantic.cached + hybrid.cached
  return {
    total,
    by_type: { keyword: typeStats(keyword), semantic: typeStats(semantic), hybrid: typeStats(hybrid) },
    cache: { hits, misses: total - hits, hit_rate: total === 0 ? null : hits / total },
    never_found: missed.map(({ query, count, lastSearchedAt }) => ({
      query,
      count,
      last_searched_at: isoTime(lastSearchedAt),
    })),
  }
}

function typeStats({ count, cached, averageMs, p50Ms, p95Ms, p99Ms }: SearchModeStats): TypeStats {
  return {
    count,
    cached,
    average_ms: averageMs ?? null,
    p50_ms: p50Ms ?? null,
    p95_ms: p95Ms ?? null,
    p99_ms: p99Ms ?? null,
  }
}
