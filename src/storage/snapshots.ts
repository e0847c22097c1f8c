import type { UpstreamSnapshot } from '#registry/snapshot'
import type { SnapshotStore } from '#registry/stores'
import { readBody } from './row-body.ts'
import type { Database } from './schema.ts'
import { textKey } from './text-key.ts'

/** The last good lists of each upstream. */
export function createSnapshotStore(db: Database): SnapshotStore {
  return {
    async list() {
      const rows = await db.selectFrom('snapshots').select('body').orderBy('upstream_id').execute()
      return rows.map(({ body }) => readBody('snapshots', body) as UpstreamSnapshot)
    },
    async put(snapshot) {
      const columns = { fetched_at: Math.floor(snapshot.fetchedAt), body: JSON.stringify(snapshot) }
      await db
        .insertInto('snapshots')
        .values({ upstream_id: textKey(snapshot.upstreamId), ...columns })
        .onConflict((conflict) => conflict.column('upstream_id').doUpdateSet(columns))
        .execute()
    },
    async delete(upstreamId) {
      await db.deleteFrom('snapshots').where('upstream_id', '=', textKey(upstreamId)).execute()
    },
  }
}
