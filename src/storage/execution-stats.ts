import type { ExecutionStats } from '#gateway/executions'
import type { Database } from './schema.ts'

/** Times are of the newest calls only, so that a busy tool's numbers cost no more than a rare one's. */
const TIMES_WINDOW = 10_000

/** Counts of all kept calls of one tool; average and exact nearest-rank percentiles of its newest 10,000. */
export async function executionStats(db: Database, nameKey: string): Promise<ExecutionStats> {
  const [{ successes, errors, lastCalledAt }, durations] = await Promise.all([counts(db, nameKey), times(db, nameKey)])
  const calls = successes + errors
  return { calls, successes, errors, ...(lastCalledAt === undefined ? {} : { lastCalledAt }), ...summary(durations) }
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

async function times(db: Database, nameKey: string): Promise<Float64Array> {
  const rows = await db
    .selectFrom('executions')
    .select('duration_ms')
    .where('name', '=', nameKey)
    .orderBy('started_at', 'desc')
    .limit(TIMES_WINDOW)
    .execute()
  return Float64Array.from(rows, ({ duration_ms: durationMs }) => durationMs).sort()
}

function summary(sorted: Float64Array) {
  if (sorted.length === 0) return {}
  const percentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  const averageMs = sorted.reduce((sum, durationMs) => sum + durationMs, 0) / sorted.length
  return { averageMs, p50Ms: percentile(0.5), p95Ms: percentile(0.95), p99Ms: percentile(0.99) }
}
