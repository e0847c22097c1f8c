import type { Kysely, Transaction } from 'kysely'
import type { Execution, Payloads } from '#gateway/executions'
import { readBody } from './row-body.ts'
import type { Database, Engine, Schema } from './schema.ts'
import { textKey } from './text-key.ts'

/** Beside the history: who reads lists does not read these, and who keeps none pays for none. */
export async function createPayloadTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('execution_payloads')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute()
}

export async function addPayloads(
  engine: Engine,
  transaction: Transaction<Schema>,
  executions: readonly Execution[],
): Promise<void> {
  const rows = executions.flatMap(({ id, startedAt, payloads }) =>
    payloads ? [{ id: textKey(id), started_at: Math.floor(startedAt), body: JSON.stringify(payloads) }] : [],
  )
  if (rows.length > 0) await engine.insert(transaction, 'execution_payloads', rows)
}

export async function payloadsOf(db: Database, id: string): Promise<Payloads | undefined> {
  const query = db.selectFrom('execution_payloads').select('body').where('id', '=', textKey(id))
  const row = await query.executeTakeFirst()
  return row && (readBody('execution_payloads', row.body) as Payloads)
}
