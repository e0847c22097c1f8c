import { setTimeout } from 'node:timers/promises'
import type { Database } from './schema.ts'

/** A statement holds SQLite, and with it the event loop: so many rows take a few milliseconds. */
const PRUNED_PER_STATEMENT = 500
/** The rest between two pieces is so many times what the piece took: others have the gateway for four fifths of the time. */
const REST = 4
const REST_MS_MAX = 250

/** Removes what started before, in pieces, the oldest first, until it is done or `signal` ends it; answers how many. */
export async function pruneHistory(
  db: Database,
  name: 'executions' | 'execution_payloads' | 'searches' | 'logins',
  { before, signal }: { readonly before: number; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  // All have the columns that this needs, so the types of the one stand for the other.
  const table = name as 'executions'
  // Ids sort by start, and no index has the start itself: to look beyond the oldest rows would be to look at all.
  const oldest = db.selectFrom(table).select(['id', 'started_at']).orderBy('id').limit(PRUNED_PER_STATEMENT)
  const old = db.selectFrom(oldest.as('oldest')).select('id').where('started_at', '<', Math.ceil(before))
  let removed = 0
  for (;;) {
    const from = performance.now()
    const { numDeletedRows } = await db.deleteFrom(table).where('id', 'in', old).executeTakeFirstOrThrow()
    removed += Number(numDeletedRows)
    if (numDeletedRows < PRUNED_PER_STATEMENT || signal?.aborted) return removed
    await setTimeout(Math.min(REST * (performance.now() - from), REST_MS_MAX))
  }
}
