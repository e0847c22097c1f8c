import type { Logger } from '#kernel/logger'
import type { Vault } from '#kernel/vault'
import type { Database, Engine } from './schema.ts'
import { isPlain, isStale, sealedBodies, SEALED_TABLES, type SealedTable } from './sealed-bodies.ts'

/** How rows with secrets stand after they were looked through. */
export interface SealedRows {
  /** Written anew under the current key. */
  readonly resealed: number
  /** Left as they are, because no key opens them. */
  readonly locked: number
}

/** What an older version wrote as it was is sealed before anything else happens; other keys are left for a rotation. */
export async function sealPlainRows(engine: Engine, vault: Vault, log: Logger): Promise<void> {
  const { resealed } = await rewriteRows(engine, vault, isPlain)
  if (resealed > 0) log.info({ rows: resealed }, 'secrets of an older version are sealed now')
}

/** Seals with the current key whatever is plain or sealed with another. A row that changes meanwhile is looked at again. */
export function sealRows(engine: Engine, vault: Vault): Promise<SealedRows> {
  return rewriteRows(engine, vault, isStale)
}

type IsDue = typeof isStale

async function rewriteRows({ db, compact }: Engine, vault: Vault, isDue: IsDue): Promise<SealedRows> {
  const all = { resealed: 0, locked: 0 }
  for (const table of SEALED_TABLES) {
    const { resealed, locked } = await rewriteTable(db, table, { vault, isDue })
    all.resealed += resealed
    all.locked += locked
  }
  // What was written over is still in free pages and the log of a file.
  if (all.resealed > 0) await compact?.()
  return all
}

interface Rewriting {
  readonly vault: Vault
  readonly isDue: IsDue
}

async function rewriteTable(db: Database, table: SealedTable, { vault, isDue }: Rewriting): Promise<SealedRows> {
  const bodies = sealedBodies(table, vault)
  // Both have one shape, so the types of the first stand for each.
  const name = table as 'upstreams'
  const counted = { resealed: 0, locked: 0 }
  const seen = new Set<string>()
  for (;;) {
    const rows = await db.selectFrom(name).select(['id', 'body']).execute()
    const stale = rows.filter(({ body }) => !seen.has(body) && isDue(table, body, vault))
    if (stale.length === 0) return counted
    for (const { id, body } of stale) {
      const record = bodies.read(body)
      if ('locked' in record) {
        seen.add(body)
        counted.locked += 1
        continue
      }
      const change = db.updateTable(name).set({ body: bodies.write(record) })
      const { numUpdatedRows } = await change.where('id', '=', id).where('body', '=', body).executeTakeFirstOrThrow()
      counted.resealed += Number(numUpdatedRows)
    }
  }
}
