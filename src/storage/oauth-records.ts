import type { KeptOauthRecord, OauthRecord, OauthStore } from '#oauth/oauth-store'
import type { Database, OauthRecordTable } from './schema.ts'
import { textKey } from './text-key.ts'

/** What the authorization server keeps, each until it expires. */
export function createOauthStore(db: Database): OauthStore {
  return {
    put: (record) => put(db, record),
    async find(kind, id, now) {
      const row = await alive(db, kind, now).where('id', '=', textKey(id)).executeTakeFirst()
      return row && recordOf(row)
    },
    async findByUid(kind, uid, now) {
      const row = await alive(db, kind, now).where('uid', '=', textKey(uid)).executeTakeFirst()
      return row && recordOf(row)
    },
    async consume(kind, id, at) {
      const { numUpdatedRows } = await db
        .updateTable('oauth_records')
        .set({ consumed_at: Math.ceil(at) })
        .where('kind', '=', kind)
        .where('id', '=', textKey(id))
        .where('consumed_at', 'is', null)
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async extend(kind, id, expiresAt) {
      await db
        .updateTable('oauth_records')
        .set({ expires_at: Math.ceil(expiresAt) })
        .where('kind', '=', kind)
        .where('id', '=', textKey(id))
        .where('expires_at', '<', Math.ceil(expiresAt))
        .execute()
    },
    async delete(kind, id) {
      await db.deleteFrom('oauth_records').where('kind', '=', kind).where('id', '=', textKey(id)).execute()
    },
    async deleteGrant(kind, grantId) {
      const ofGrant = db.deleteFrom('oauth_records').where('grant_id', '=', textKey(grantId))
      await ofGrant.where('kind', '=', kind).execute()
    },
    async count(kind) {
      const all = db.selectFrom('oauth_records').select((row) => row.fn.countAll<number | string>().as('number'))
      return Number((await all.where('kind', '=', kind).executeTakeFirstOrThrow()).number)
    },
    async prune(now) {
      const { numDeletedRows } = await db
        .deleteFrom('oauth_records')
        .where('expires_at', '<', now)
        .executeTakeFirstOrThrow()
      return Number(numDeletedRows)
    },
  }
}

async function put(db: Database, { kind, id, grantId, uid, body, expiresAt }: OauthRecord): Promise<void> {
  const columns = {
    grant_id: grantId === undefined ? null : textKey(grantId),
    uid: uid === undefined ? null : textKey(uid),
    expires_at: Math.ceil(expiresAt),
    body,
  }
  await db
    .insertInto('oauth_records')
    .values({ kind, id: textKey(id), consumed_at: null, ...columns })
    .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(columns))
    .execute()
}

function alive(db: Database, kind: string, now: number) {
  return db.selectFrom('oauth_records').selectAll().where('kind', '=', kind).where('expires_at', '>', now)
}

function recordOf(row: OauthRecordTable): KeptOauthRecord {
  return {
    kind: row.kind,
    id: row.id,
    ...(row.grant_id === null ? {} : { grantId: row.grant_id }),
    ...(row.uid === null ? {} : { uid: row.uid }),
    ...(row.consumed_at === null ? {} : { consumedAt: row.consumed_at }),
    body: row.body,
    expiresAt: row.expires_at,
  }
}
