import type { UpstreamSnapshot } from '#registry/snapshot'
import type { SnapshotStore } from '#registry/stores'
import { readBody } from './row-body.ts'
import type { Database } from './schema.ts'
import { textKey } from './text-key.ts'

/** A body has a hundred kilobytes and more: those that were read are gone before the last ones come. */
const PAGE = 8

/** The last good lists of each upstream. */
export function createSnapshotStore(db: Database): SnapshotStore {
  return {
    async list() {
      const snapshots: UpstreamSnapshot[] = []
      const page = db.selectFrom('snapshots').select(['upstream_id', 'body']).orderBy('upstream_id').limit(PAGE)
      let rows = await page.execute()
      for (;;) {
        for (const { body } of rows) snapshots.push(readBody('snapshots', body) as UpstreamSnapshot)
        const last = rows.at(-1)
        if (!last || rows.length < PAGE) return snapshots
        rows = await page.where('upstream_id', '>', last.upstream_id).execute()
      }
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
