import type { Kysely } from 'kysely'
import type { Database } from './schema.ts'

const ONLY_ROW = 1

/** One row: what all gateways on this database are together. */
export async function createDeploymentTable(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deployment')
    .addColumn('row', 'integer', (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull())
    .execute()
}

/** The name of the deployment; `proposed` becomes it where there is none. Of two gateways that start at once both get the same. */
export async function deploymentOf(db: Database, proposed: string): Promise<string> {
  await db
    .insertInto('deployment')
    .values({ row: ONLY_ROW, id: proposed })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { id } = await db.selectFrom('deployment').select('id').where('row', '=', ONLY_ROW).executeTakeFirstOrThrow()
  return id
}
