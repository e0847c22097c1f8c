import type { VectorStore } from '#search/vectors'
import type { Database } from './schema.ts'

/** To note every use would be a write for every vector at every start. */
const WANTED_NOTED_MS = 86_400_000

/** The vectors of the search, as base64: both databases take it. */
export function createVectorStore(db: Database): VectorStore {
  return {
    async find(model, hashes, now) {
      if (hashes.length === 0) return []
      const wanted = db.selectFrom('search_vectors').where('model', '=', model).where('hash', 'in', hashes)
      const rows = await wanted.select(['hash', 'scale', 'bytes', 'wanted_at']).execute()
      const stale = rows.filter(({ wanted_at: at }) => at < now - WANTED_NOTED_MS).map(({ hash }) => hash)
      if (stale.length > 0) {
        const update = db.updateTable('search_vectors').set({ wanted_at: Math.floor(now) })
        await update.where('model', '=', model).where('hash', 'in', stale).execute()
      }
      return rows.map(({ hash, scale, bytes }) => ({ hash, scale, bytes: new Int8Array(Buffer.from(bytes, 'base64')) }))
    },
    async put(model, vectors, now) {
      if (vectors.length === 0) return
      const rows = vectors.map(({ hash, scale, bytes }) => {
        const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
        return { model, hash, scale, bytes: text, wanted_at: Math.floor(now) }
      })
      const insert = db.insertInto('search_vectors').values(rows)
      await insert.onConflict((conflict) => conflict.columns(['model', 'hash']).doNothing()).execute()
    },
    async prune(before) {
      const stale = db.deleteFrom('search_vectors').where('wanted_at', '<', Math.ceil(before))
      const { numDeletedRows } = await stale.executeTakeFirstOrThrow()
      return Number(numDeletedRows)
    },
  }
}
