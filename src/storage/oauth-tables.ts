import type { Kysely } from 'kysely'

/** One table for all that the authorization server keeps: its kinds come and go alike. */
export async function createOauthTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('oauth_records')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('grant_id', 'text')
    .addColumn('uid', 'text')
    .addColumn('consumed_at', 'bigint')
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('oauth_records_key', ['kind', 'id'])
    .execute()
  const index = (name: string) => db.schema.createIndex(name).on('oauth_records')
  await index('oauth_records_by_grant').column('grant_id').where('grant_id', 'is not', null).execute()
  await index('oauth_records_by_uid').column('uid').where('uid', 'is not', null).execute()
  await index('oauth_records_by_end').column('expires_at').execute()
}
