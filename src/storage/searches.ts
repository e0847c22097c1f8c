import type { SearchFilter, SearchRecord, SearchStore } from '#search/searches'
import { pruneHistory } from './prune.ts'
import { readBody } from './row-body.ts'
import type { Database, SearchTable } from './schema.ts'
import { missedQueries, normalisedQuery, searchStats } from './search-stats.ts'
import { textKey } from './text-key.ts'

/** The history of searches. */
export function createSearchStore(db: Database): SearchStore {
  return {
    async append(records) {
      if (records.length > 0) await insert(db, records.map(rowOf))
    },
    async list(filter) {
      const [searches, total] = await Promise.all([page(db, filter), count(db, filter)])
      return { searches, total }
    },
    stats: (filter) => searchStats(db, filter),
    missed: (limit, from) => missedQueries(db, limit, from),
    prune: (before, signal) => pruneHistory(db, 'searches', { before, signal }),
  }
}

function rowOf(record: SearchRecord): SearchTable {
  return {
    id: textKey(record.id),
    principal: textKey(record.principal),
    mode: record.mode,
    cached: record.cached ? 1 : 0,
    missed: record.total === 0 ? textKey(normalisedQuery(record.query)) : null,
    started_at: Math.floor(record.startedAt),
    duration_ms: record.durationMs,
    body: JSON.stringify(record),
  }
}

/** One statement, and thus all rows or none; SQLite takes 4,000 rows in one. */
async function insert(db: Database, rows: readonly SearchTable[]): Promise<void> {
  await db
    .insertInto('searches')
    .values(rows)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

async function page(db: Database, filter: SearchFilter): Promise<SearchRecord[]> {
  const { limit, offset } = filter
  const rows = await matching(db, filter).select('body').orderBy('id', 'desc').limit(limit).offset(offset).execute()
  return rows.map(({ body }) => readBody('searches', body) as SearchRecord)
}

async function count(db: Database, filter: SearchFilter): Promise<number> {
  const { total } = await matching(db, filter)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

function matching(db: Database, { principal, mode, from, to }: SearchFilter) {
  let query = db.selectFrom('searches')
  if (principal !== undefined) query = query.where('principal', '=', textKey(principal))
  if (mode !== undefined) query = query.where('mode', '=', mode)
  if (from !== undefined) query = query.where('started_at', '>=', Math.ceil(from))
  if (to !== undefined) query = query.where('started_at', '<', Math.ceil(to))
  return query
}
