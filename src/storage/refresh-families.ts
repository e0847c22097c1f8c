import type { RefreshFamily, RefreshStore, RevocationStore } from '#identity/refresh-families'
import { readBody } from './row-body.ts'
import type { Database } from './schema.ts'
import { textKey } from './text-key.ts'

/** The good refresh token of each login. */
export function createRefreshStore(db: Database): RefreshStore {
  return {
    async insert(family) {
      const keys = { id: textKey(family.id), user_id: textKey(family.userId) }
      await db
        .insertInto('refresh_families')
        .values({ ...keys, ...columnsOf(family) })
        .execute()
    },
    async find(id) {
      const row = await db
        .selectFrom('refresh_families')
        .select('body')
        .where('id', '=', textKey(id))
        .executeTakeFirst()
      return row && (readBody('refresh_families', row.body) as RefreshFamily)
    },
    async replace(tokenHash, family) {
      const { numUpdatedRows } = await db
        .updateTable('refresh_families')
        .set(columnsOf(family))
        .where('id', '=', textKey(family.id))
        .where('token_hash', '=', textKey(tokenHash))
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async delete(id) {
      await db.deleteFrom('refresh_families').where('id', '=', textKey(id)).execute()
    },
    prune: (now) => pruneExpired(db, 'refresh_families', now),
  }
}

function columnsOf(family: RefreshFamily) {
  return {
    token_hash: textKey(family.tokenHash),
    expires_at: Math.ceil(family.expiresAt),
    body: JSON.stringify(family),
  }
}

/** What must not be accepted any more. */
export function createRevocationStore(db: Database): RevocationStore {
  return {
    async add(revocations) {
      if (revocations.length === 0) return
      const rows = revocations.map(({ id, expiresAt }) => ({ id: textKey(id), expires_at: Math.ceil(expiresAt) }))
      await db
        .insertInto('revocations')
        .values(rows)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
    },
    async has(ids) {
      if (ids.length === 0) return false
      const found = db.selectFrom('revocations').select('id').where('id', 'in', ids.map(textKey)).limit(1)
      return (await found.executeTakeFirst()) !== undefined
    },
    prune: (now) => pruneExpired(db, 'revocations', now),
  }
}

async function pruneExpired(db: Database, name: 'refresh_families' | 'revocations', now: number): Promise<number> {
  // Both tables have the column that this needs, so the types of the one stand for the other.
  const table = name as 'revocations'
  const { numDeletedRows } = await db.deleteFrom(table).where('expires_at', '<', now).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}
