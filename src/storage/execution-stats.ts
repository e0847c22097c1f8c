import type { Execution, ExecutionStats, StatsFilter } from '#gateway/executions'
import { countedSummary, durationClass } from './duration-classes.ts'
import type { Database, ExecutionStatsTable } from './schema.ts'
import { keyOf, textKey } from './text-key.ts'

const DAY_MS = 86_400_000

/** The day that a moment is on, in UTC, counted from 1970. */
function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS)
}

/**
 * What a batch adds to the statistics, in the order of the keys: gateways that lock rows in one order do not wait for each other
 * in a circle. Names that callers made up, and addresses of resources, would grow without end: what found no server counts for
 * nobody, what is no tool only for its server.
 */
export function statsRows(executions: readonly Execution[]): ExecutionStatsTable[] {
  const rows = new Map<string, ExecutionStatsTable>()
  for (const execution of executions) {
    if (execution.server !== '') count(rows, execution)
  }
  return [...rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
}

function count(rows: Map<string, ExecutionStatsTable>, execution: Execution): void {
  const { kind, name, server, outcome, startedAt, durationMs } = execution
  const tool = kind === 'tool' ? name : ''
  const day = dayOf(startedAt)
  const size = durationClass(durationMs)
  const key = `${tool}\0${server}\0${day} ${outcome} ${size}`
  const row = rows.get(key)
  if (row) {
    row.calls += 1
    row.total_ms += durationMs
    row.last_at = Math.max(row.last_at, Math.floor(startedAt))
    return
  }
  const names = { tool: keyOf(tool), server: keyOf(server) }
  const facts = { day, outcome, duration_class: size, calls: 1, total_ms: durationMs, last_at: Math.floor(startedAt) }
  rows.set(key, { ...names, ...facts })
}

/** Of all calls that match, also of those whose rows are pruned. */
export async function executionStats(db: Database, filter: StatsFilter): Promise<ExecutionStats> {
  const rows = await counted(db, filter)
  const callsOf = (outcome: string) => rows.reduce((sum, row) => sum + (row.outcome === outcome ? row.calls : 0), 0)
  const [successes, errors] = [callsOf('success'), callsOf('error')]
  const lastCalledAt = rows.map(({ last }) => last).sort((one, other) => other - one)[0]
  return {
    calls: successes + errors,
    successes,
    errors,
    ...(lastCalledAt === undefined ? {} : { lastCalledAt }),
    ...countedSummary(rows),
  }
}

/** One row a class and outcome, whatever the number of days. */
async function counted(db: Database, { tool, server, from }: StatsFilter) {
  let query = db.selectFrom('execution_stats')
  if (tool !== undefined) query = query.where('tool', '=', textKey(tool))
  if (server !== undefined) query = query.where('server', '=', textKey(server))
  if (from !== undefined) query = query.where('day', '>=', dayOf(from))
  const rows = await query
    .select(({ fn }) => [
      'outcome',
      'duration_class as durationClass',
      fn.sum<number | string>('calls').as('calls'),
      fn.sum<number>('total_ms').as('totalMs'),
      fn.max('last_at').as('last'),
    ])
    .groupBy(['outcome', 'duration_class'])
    .execute()
  // PostgreSQL sums up `bigint` as `numeric`, which comes as text.
  return rows.map((row) => ({ ...row, calls: Number(row.calls) }))
}

/** Removes the days that were over before; answers how many rows. */
export async function pruneStats(db: Database, before: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('execution_stats')
    .where('day', '<', dayOf(before))
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
