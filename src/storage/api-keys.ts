import type { ApiKey, ApiKeyStore } from '#identity/api-keys'
import { readBody } from './row-body.ts'
import type { ApiKeyTable, Database } from './schema.ts'
import { textKey } from './text-key.ts'

/** The credentials of MCP clients and programs. */
export function createApiKeyStore(db: Database): ApiKeyStore {
  const findBy = async (column: 'id' | 'hash', value: string): Promise<ApiKey | undefined> => {
    const row = await db.selectFrom('api_keys').selectAll().where(column, '=', textKey(value)).executeTakeFirst()
    return row && keyOf(row)
  }
  return {
    async insert({ lastUsedAt, revokedAt, ...key }) {
      const keys = { id: textKey(key.id), owner_id: textKey(key.ownerId), hash: textKey(key.hash) }
      const times = { last_used_at: lastUsedAt ?? null, revoked_at: revokedAt ?? null }
      await db
        .insertInto('api_keys')
        .values({ ...keys, ...times, body: JSON.stringify(key) })
        .execute()
    },
    find: (id) => findBy('id', id),
    findByHash: (hash) => findBy('hash', hash),
    async list({ ownerId, limit, offset }) {
      const all = db.selectFrom('api_keys')
      const some = ownerId === undefined ? all : all.where('owner_id', '=', textKey(ownerId))
      const [rows, { total }] = await Promise.all([
        some.selectAll().orderBy('id').limit(limit).offset(offset).execute(),
        some.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
      ])
      return { apiKeys: rows.map(keyOf), total }
    },
    async revoke(id, at) {
      const { numUpdatedRows } = await db
        .updateTable('api_keys')
        .set({ revoked_at: Math.floor(at) })
        .where('id', '=', textKey(id))
        .where('revoked_at', 'is', null)
        .executeTakeFirstOrThrow()
      return numUpdatedRows > 0n
    },
    async touch(id, at) {
      await db
        .updateTable('api_keys')
        .set({ last_used_at: Math.floor(at) })
        .where('id', '=', textKey(id))
        .execute()
    },
  }
}

function keyOf({ body, last_used_at: lastUsedAt, revoked_at: revokedAt }: ApiKeyTable): ApiKey {
  return {
    ...(readBody('api_keys', body) as ApiKey),
    ...(lastUsedAt === null ? {} : { lastUsedAt }),
    ...(revokedAt === null ? {} : { revokedAt }),
  }
}
