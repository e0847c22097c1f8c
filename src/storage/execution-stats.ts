import type { ExecutionStats } from '#gateway/executions'
import { durationSummary, TIMES_WINDOW } from './durations.ts'
import type { Database } from './schema.ts'

/** Counts of all kept calls of one tool; average and exact nearest-rank percentiles of its newest 10,000. */
export async function executionStats(db: Database, nameKey: string): Promise<ExecutionStats> {
  const [{ successes, errors, lastCalledAt }, durations] = await Promise.all([counts(db, nameKey), times(db, nameKey)])
  const calls = successes + errors
  return {
    calls,
    successes,
    errors,
    ...(lastCalledAt === undefined ? {} : { lastCalledAt }),
    ...durationSummary(durations),
  }
}

async function counts(db: Database, nameKey: string) {
  const rows = await db
    .selectFrom('executions')
    .select(({ fn }) => ['outcome', fn.countAll<number>().as('calls'), fn.max('started_at').as('last')])
    .where('name', '=', nameKey)
    .groupBy('outcome')
    .execute()
  const callsOf = (outcome: string) => rows.find((row) => row.outcome === outcome)?.calls ?? 0
  return {
    successes: callsOf('success'),
    errors: callsOf('error'),
    lastCalledAt: rows.map(({ last }) => last).sort((one, other) => other - one)[0],
  }
}

async function times(db: Database, nameKey: string): Promise<number[]> {
  const rows = await db
    .selectFrom('executions')
    .select('duration_ms')
    .where('name', '=', nameKey)
    .orderBy('started_at', 'desc')
    .limit(TIMES_WINDOW)
    .execute()
  return rows.map(({ duration_ms: durationMs }) => durationMs)
}
