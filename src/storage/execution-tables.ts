import { type ColumnBuilderCallback, type Kysely, sql } from 'kysely'

/** Every call pays for each index: ids sort by start, so lists and pruning need none of their own. */
export async function createExecutionTable(db: Kysely<unknown>): Promise<void> {
  await executions(db, (id) => id.primaryKey()).execute()
  const columns = ['name', 'started_at', 'outcome', 'duration_ms']
  await db.schema.createIndex('executions_by_name').on('executions').columns(columns).execute()
}

/**
 * On SQLite, where each index costs the thread that serves calls: one that begins with the id keeps calls apart and in the order
 * of the lists, and has the name that lists of one tool look for. PostgreSQL keeps its two, as its histories are the longest.
 */
export async function keepOneIndex(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('executions_by_name').execute()
  await db.schema.alterTable('executions').renameTo('executions_before').execute()
  await executions(db, (id) => id.notNull())
    .addPrimaryKeyConstraint('executions_key', ['id', 'name'])
    .execute()
  await sql`insert into executions select * from executions_before order by id`.execute(db)
  await db.schema.dropTable('executions_before').execute()
}

function executions(db: Kysely<unknown>, id: ColumnBuilderCallback) {
  return db.schema
    .createTable('executions')
    .addColumn('id', 'text', id)
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('server', 'text', (column) => column.notNull())
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('duration_ms', 'double precision', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
}
