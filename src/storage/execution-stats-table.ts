import { type Kysely, sql } from 'kysely'
import { statsRows } from './execution-stats.ts'
import { readExecution } from './executions.ts'
import { CALL_COLUMNS, CALL_CONFLICTS, type Database, type ExecutionStatsTable } from './schema.ts'

/**
 * One row for each tool, day, outcome and class of duration: as many as there are tools, however many calls. The key begins with
 * the tool, the index with the server: statistics are asked for of either.
 */
export async function createExecutionStatsTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('execution_stats')
    .addColumn('tool', 'text', (column) => column.notNull())
    .addColumn('server', 'text', (column) => column.notNull())
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('duration_class', 'integer', (column) => column.notNull())
    .addColumn('calls', 'bigint', (column) => column.notNull())
    .addColumn('total_ms', 'double precision', (column) => column.notNull())
    .addColumn('last_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('execution_stats_key', ['tool', 'server', 'day', 'outcome', 'duration_class'])
    .execute()
  await db.schema.createIndex('execution_stats_by_server').on('execution_stats').columns(['server', 'day']).execute()
  // Statistics no longer read it: now it is in the order of the lists.
  await db.schema.dropIndex('executions_by_name').execute()
  await db.schema.createIndex('executions_by_name').on('executions').columns(['name', 'id']).execute()
  await countKept(db)
}

const COLUMNS = CALL_COLUMNS.execution_stats
const ROWS_TOGETHER = 500

/** The calls that are there already. */
async function countKept(db: Database): Promise<void> {
  for (let after = ''; ;) {
    const oldest = db.selectFrom('executions').selectAll().where('id', '>', after).orderBy('id').limit(ROWS_TOGETHER)
    const kept = await oldest.execute()
    for (const row of statsRows(kept.map(readExecution))) await add(db, row)
    after = kept.at(-1)?.id ?? ''
    if (kept.length < ROWS_TOGETHER) return
  }
}

async function add(db: Database, row: ExecutionStatsTable): Promise<void> {
  await sql`insert into execution_stats (${sql.join(COLUMNS.map((column) => sql.ref(column)))})
    values (${sql.join(COLUMNS.map((column) => row[column]))}) ${sql.raw(CALL_CONFLICTS.execution_stats)}`.execute(db)
}
