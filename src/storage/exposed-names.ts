import type { ExposedName, ExposedNameStore } from '#registry/stores'
import { readBody } from './row-body.ts'
import type { Database, Schema } from './schema.ts'
import { textKey } from './text-key.ts'

/** Both engines bind at least 32,000 values a statement; a row has four. */
const ROWS_PER_STATEMENT = 1_000

/** The table by which exposed names are resolved. */
export function createExposedNameStore(db: Database): ExposedNameStore {
  return {
    async list() {
      const rows = await db
        .selectFrom('exposed_names')
        .select('body')
        .orderBy('kind')
        .orderBy('upstream_id')
        .orderBy('original_name')
        .execute()
      return rows.map(({ body }) => readBody('exposed_names', body) as ExposedName)
    },
    async put(names) {
      const rows = rowsOf(names)
      if (rows.length === 0) return
      await db.transaction().execute(async (transaction) => {
        for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT) {
          await upsert(transaction, rows.slice(at, at + ROWS_PER_STATEMENT))
        }
      })
    },
    async deleteUpstream(upstreamId) {
      await db.deleteFrom('exposed_names').where('upstream_id', '=', textKey(upstreamId)).execute()
    },
  }
}

type Row = Schema['exposed_names']

/** One row a key, because PostgreSQL touches no row twice; in one order, because two replicas would wait for each other. */
function rowsOf(names: readonly ExposedName[]): Row[] {
  const rows = new Map(
    names.map((name) => [JSON.stringify([name.kind, name.upstreamId, name.originalName]), rowOf(name)]),
  )
  return [...rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
}

function rowOf(name: ExposedName): Row {
  return {
    kind: name.kind,
    upstream_id: textKey(name.upstreamId),
    original_name: textKey(name.originalName),
    body: JSON.stringify(name),
  }
}

async function upsert(db: Database, rows: Row[]): Promise<void> {
  await db
    .insertInto('exposed_names')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['kind', 'upstream_id', 'original_name'])
        .doUpdateSet(({ ref }) => ({ body: ref('excluded.body') })),
    )
    .execute()
}
