import { type Kysely, sql } from 'kysely'
import { blockOf } from './audit-blocks.ts'
import type { Database } from './schema.ts'

/** The key is the number of the last record: where a block begins is asked by nobody. */
export async function createAuditBlockTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_blocks')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addColumn('records', 'integer', (column) => column.notNull())
    .addColumn('oldest_at', 'bigint', (column) => column.notNull())
    .addColumn('newest_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_blocks_key', ['tenant', 'seq'])
    .execute()
  const { rows } = await sql<{ tenant: string }>`select distinct tenant from audit_records`.execute(db)
  for (const { tenant } of rows) await moveRecords(db, tenant)
  await db.schema.dropTable('audit_records').execute()
}

const RECORDS_TOGETHER = 500

interface KeptRecord {
  readonly seq: number
  readonly at: number
  readonly hash: string
  readonly body: string
}

/** To the letter: what was not as it was written stays so. */
async function moveRecords(db: Database, tenant: string): Promise<void> {
  for (let after = 0; ;) {
    const { rows } = await sql<KeptRecord>`select seq, at, hash, body from audit_records
      where tenant = ${tenant} and seq > ${after} order by seq limit ${RECORDS_TOGETHER}`.execute(db)
    if (rows.length === 0) return
    await db.insertInto('audit_blocks').values(blockOf(tenant, rows)).execute()
    after = rows.at(-1)?.seq ?? after
  }
}
