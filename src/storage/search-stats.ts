import type { MissedQuery, SearchModeStats, SearchRecord, SearchStats, SearchStore } from '#search/searches'
import { durationSummary, TIMES_WINDOW } from './durations.ts'
import { readBody } from './row-body.ts'
import type { Database } from './schema.ts'
import { textKey } from './text-key.ts'

type StatsFilter = Parameters<SearchStore['stats']>[0]
type SearchMode = SearchRecord['mode']

/** Counts of all kept searches that match; average and exact nearest-rank percentiles of the newest 10,000 of each mode. */
export async function searchStats(db: Database, filter: StatsFilter): Promise<SearchStats> {
  const [keyword, semantic, hybrid] = await Promise.all([
    modeStats(db, 'keyword', filter),
    modeStats(db, 'semantic', filter),
    modeStats(db, 'hybrid', filter),
  ])
  return { keyword, semantic, hybrid }
}

async function modeStats(db: Database, mode: SearchMode, filter: StatsFilter): Promise<SearchModeStats> {
  const [counts, times] = await Promise.all([modeCounts(db, mode, filter), modeTimes(db, mode, filter)])
  return { ...counts, ...durationSummary(times) }
}

async function modeCounts(db: Database, mode: SearchMode, filter: StatsFilter) {
  const { count, cached } = await matching(db, mode, filter)
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number | null>('cached').as('cached')])
    .executeTakeFirstOrThrow()
  return { count, cached: cached ?? 0 }
}

async function modeTimes(db: Database, mode: SearchMode, filter: StatsFilter): Promise<number[]> {
  const newest = matching(db, mode, filter).select('duration_ms').orderBy('started_at', 'desc').limit(TIMES_WINDOW)
  return (await newest.execute()).map(({ duration_ms: durationMs }) => durationMs)
}

function matching(db: Database, mode: SearchMode, { principal, from }: StatsFilter) {
  let query = db.selectFrom('searches').where('mode', '=', mode)
  if (principal !== undefined) query = query.where('principal', '=', textKey(principal))
  if (from !== undefined) query = query.where('started_at', '>=', Math.ceil(from))
  return query
}

/** The queries that found nothing, the most frequent first, of equals the latest. */
export async function missedQueries(db: Database, limit: number, from = 0): Promise<MissedQuery[]> {
  const rows = await db
    .selectFrom(mostMissed(db, limit, from).as('most'))
    // The key of a long query is not the query: its words stand in the body.
    .innerJoin('searches', 'searches.id', 'most.newest')
    .select(['most.count', 'most.last', 'searches.body'])
    .orderBy('most.count', 'desc')
    .orderBy('most.newest', 'desc')
    .execute()
  return rows.map(({ count, last, body }) => {
    const { query } = readBody('searches', body) as SearchRecord
    return { query: normalisedQuery(query), count, lastSearchedAt: last }
  })
}

function mostMissed(db: Database, limit: number, from: number) {
  return db
    .selectFrom('searches')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.max('started_at').as('last'), fn.max('id').as('newest')])
    .where('missed', 'is not', null)
    .where('started_at', '>=', Math.ceil(from))
    .groupBy('missed')
    .orderBy('count', 'desc')
    .orderBy('newest', 'desc')
    .limit(limit)
}

/** What makes two queries one. */
export function normalisedQuery(query: string): string {
  return query.trim().toLowerCase().replaceAll(/\s+/g, ' ')
}
