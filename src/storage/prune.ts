import { setImmediate } from 'node:timers/promises'
import type { Database } from './schema.ts'

/** Removing a million rows in one statement would hold SQLite, and with it the event loop, for seconds. */
const PRUNED_PER_STATEMENT = 2_000

/** Removes what started before, in pieces; answers how many. */
export async function pruneHistory(
  db: Database,
  name: 'executions' | 'searches' | 'logins',
  before: number,
): Promise<number> {
  // All have the columns that this needs, so the types of the one stand for the other.
  const table = name as 'executions'
  const oldest = db
    .selectFrom(table)
    .select('id')
    .where('started_at', '<', Math.ceil(before))
    .orderBy('id')
    .limit(PRUNED_PER_STATEMENT)
  let removed = 0
  for (;;) {
    const { numDeletedRows } = await db.deleteFrom(table).where('id', 'in', oldest).executeTakeFirstOrThrow()
    removed += Number(numDeletedRows)
    if (numDeletedRows < PRUNED_PER_STATEMENT) return removed
    await setImmediate()
  }
}
