import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { AppError } from '#kernel/errors'
import { createAuditBlockTable } from './audit-block-table.ts'
import { createAuditTables } from './audit-tables.ts'
import { createDeploymentTable } from './deployment.ts'
import { createExecutionStatsTable } from './execution-stats-table.ts'
import { createExecutionTable, keepOneIndex } from './execution-tables.ts'
import { createIdentityTables } from './identity-tables.ts'
import { createOauthTables } from './oauth-tables.ts'
import { createPayloadTable } from './payload-table.ts'
import { type Database, type Engine, RECORD_TABLES } from './schema.ts'

const MIGRATIONS_TABLE = 'metamcp_migrations'

type Step = (db: Kysely<unknown>, kind: Engine['kind']) => Promise<void>

/** In the order of their names; one that has been released never changes. */
const MIGRATIONS: Readonly<Record<string, Step>> = {
  '0001_registry_and_history': createFirstTables,
  '0002_search': createSearchTables,
  '0003_identity': createIdentityTables,
  '0004_roles': (db) => createRecordTable(db, 'roles'),
  '0005_oauth': createOauthTables,
  '0006_deployment': createDeploymentTable,
  '0008_audit': createAuditTables,
  '0009_history': createHistoryTables,
  '0010_records': createCheaperTables,
}

/**
 * Brings the database to this version; two processes may do so at once. Rejects with `unavailable` and leaves the
 * tables as they were when it cannot, in particular when a newer MetaMCP has already migrated them.
 */
export async function migrate(engine: Engine): Promise<void> {
  const migrator = new Migrator({
    db: engine.db,
    provider: { getMigrations: async () => migrationsOf(engine.kind) },
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: `${MIGRATIONS_TABLE}_lock`,
    ...(engine.kind === 'postgres' ? { migrationTableSchema: await currentSchema(engine.db) } : {}),
  })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  const newer = await unknownMigration(engine.db)
  const reason = newer === undefined ? 'could not be migrated' : `was written by a newer MetaMCP (it has ${newer})`
  throw new AppError('unavailable', `The database ${reason}`, { cause: error })
}

function migrationsOf(kind: Engine['kind']): Record<string, Migration> {
  return Object.fromEntries(Object.entries(MIGRATIONS).map(([name, step]) => [name, { up: (db) => step(db, kind) }]))
}

/** Without it the migrator takes a table of the same name in any schema of the database for its own. */
async function currentSchema(db: Database): Promise<string> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db)
  return rows[0]?.name ?? 'public'
}

async function unknownMigration(db: Database): Promise<string | undefined> {
  const query = sql<{ name: string }>`select name from ${sql.table(MIGRATIONS_TABLE)} order by name`
  const { rows } = await query.execute(db).catch(() => ({ rows: [] }))
  return rows.find(({ name }) => !Object.hasOwn(MIGRATIONS, name))?.name
}

async function createFirstTables(db: Kysely<unknown>): Promise<void> {
  for (const table of RECORD_TABLES) await createRecordTable(db, table)
  await db.schema
    .createTable('snapshots')
    .addColumn('upstream_id', 'text', (column) => column.primaryKey())
    .addColumn('fetched_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('exposed_names')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('upstream_id', 'text', (column) => column.notNull())
    .addColumn('original_name', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('exposed_names_key', ['kind', 'upstream_id', 'original_name'])
    .execute()
  await createExecutionTable(db)
}

async function createHistoryTables(db: Kysely<unknown>): Promise<void> {
  await createPayloadTable(db)
  await createExecutionStatsTable(db)
}

async function createCheaperTables(db: Kysely<unknown>, kind: Engine['kind']): Promise<void> {
  await createAuditBlockTable(db)
  if (kind === 'sqlite') await keepOneIndex(db)
}

async function createRecordTable(db: Kysely<unknown>, table: string): Promise<void> {
  await db.schema
    .createTable(table)
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
}

async function createSearchTables(db: Kysely<unknown>): Promise<void> {
  await createHistoryOfSearches(db)
  await createMeaningTables(db)
}

/** Each index holds more than it sorts by, so that lists count and statistics sum up without reading rows. */
async function createHistoryOfSearches(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('searches')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('mode', 'text', (column) => column.notNull())
    .addColumn('cached', 'integer', (column) => column.notNull())
    .addColumn('missed', 'text')
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('duration_ms', 'double precision', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
  const index = (name: string) => db.schema.createIndex(name).on('searches')
  await index('searches_by_principal').columns(['principal', 'id', 'started_at', 'mode']).execute()
  await index('searches_by_mode').columns(['mode', 'started_at', 'duration_ms', 'cached', 'principal']).execute()
  await index('searches_missed').columns(['missed', 'started_at', 'id']).where('missed', 'is not', null).execute()
}

/** Vectors and lessons of the search. */
async function createMeaningTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('search_vectors')
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('scale', 'double precision', (column) => column.notNull())
    .addColumn('bytes', 'text', (column) => column.notNull())
    .addColumn('wanted_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('search_vectors_key', ['model', 'hash'])
    .execute()
  await db.schema
    .createTable('search_lessons')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('learned_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
}
