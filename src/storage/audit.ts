import { setImmediate } from 'node:timers/promises'
import type { Transaction } from 'kysely'
import type { AuditFilter, AuditRecord, AuditStore, LockedChain, NewLink } from '#audit/record'
import { blockOf, bodyOf, linesOf, linksOf, matchesIn, recordOf } from './audit-blocks.ts'
import type { AuditBlockTable, Database, Engine, Schema } from './schema.ts'
import { textKey } from './text-key.ts'

/** No head yet: the row is there to be locked. */
const UNSEALED = ''
/** Blocks are read until they have so many: whoever reads a long chain holds the event loop for some milliseconds at a time. */
const RECORDS_TOGETHER = 500

/** The audit chains. */
export function createAuditStore(engine: Engine): AuditStore {
  const { db } = engine
  return {
    append: (tenant, grow) =>
      db.transaction().execute(async (transaction) => {
        const sealed = await lockHead(engine, transaction, tenant)
        const growth = await grow(lockedChain(transaction, tenant, sealed))
        if (growth.links.length > 0) await addBlock(transaction, tenant, growth.links)
        const update = transaction.updateTable('audit_heads').set({ sealed: growth.sealed })
        await update.where('tenant', '=', textKey(tenant)).execute()
      }),
    async sealedHead(tenant) {
      const query = db.selectFrom('audit_heads').select('sealed').where('tenant', '=', textKey(tenant))
      const row = await query.executeTakeFirst()
      return row === undefined || row.sealed === UNSEALED ? undefined : row.sealed
    },
    async read(tenant, afterSeq) {
      const links = (await nextBlocks(db, tenant, afterSeq)).flatMap(linksOf)
      return links.filter(({ seq }) => seq > afterSeq)
    },
    list(filter) {
      const { actor, action, resource, outcome, from, to } = filter
      const isAll = [actor, action, resource, outcome, from, to].every((asked) => asked === undefined)
      return isAll ? listAll(db, filter) : listMatching(db, filter)
    },
  }
}

/** Of several processes only one goes on from here, until its transaction ends. */
async function lockHead({ kind }: Engine, db: Transaction<Schema>, tenant: string): Promise<string | undefined> {
  const key = textKey(tenant)
  const query = db.selectFrom('audit_heads').select('sealed').where('tenant', '=', key)
  const locking = kind === 'postgres' ? query.forUpdate() : query
  const known = await locking.executeTakeFirst()
  if (!known) await makeHead(db, key)
  const { sealed } = known ?? (await locking.executeTakeFirstOrThrow())
  return sealed === UNSEALED ? undefined : sealed
}

async function makeHead(db: Transaction<Schema>, tenant: string): Promise<void> {
  const row = db.insertInto('audit_heads').values({ tenant, sealed: UNSEALED })
  await row.onConflict((conflict) => conflict.column('tenant').doNothing()).execute()
}

async function addBlock(db: Transaction<Schema>, tenant: string, links: readonly NewLink[]): Promise<void> {
  await db
    .insertInto('audit_blocks')
    .values(blockOf(textKey(tenant), links))
    .execute()
}

function lockedChain(db: Transaction<Schema>, tenant: string, sealed: string | undefined): LockedChain {
  return {
    sealed,
    async last() {
      const block = await ofTenant(db, tenant).selectAll().orderBy('seq', 'desc').limit(1).executeTakeFirst()
      return block && linksOf(block).at(-1)
    },
    async bodiesAfter(seq) {
      const blocks = await ofTenant(db, tenant).select('body').where('seq', '>', seq).orderBy('seq').execute()
      return blocks.flatMap(linesOf).map(bodyOf)
    },
  }
}

function ofTenant(db: Database, tenant: string) {
  return db.selectFrom('audit_blocks').where('tenant', '=', textKey(tenant))
}

async function nextBlocks(db: Database, tenant: string, afterSeq: number): Promise<AuditBlockTable[]> {
  const later = ofTenant(db, tenant).where('seq', '>', afterSeq).orderBy('seq')
  const next = await later.select('seq').limit(1).executeTakeFirst()
  if (!next) return []
  return later
    .where('seq', '<', next.seq + RECORDS_TOGETHER)
    .selectAll()
    .execute()
}

/** Those that may hold what the filter asks for. */
async function* blocksNewestFirst(db: Database, { tenant, from, to }: AuditFilter): AsyncGenerator<AuditBlockTable> {
  const newestFirst = ofTenant(db, tenant).orderBy('seq', 'desc')
  for (let earlier = newestFirst; ;) {
    const newest = await earlier.select('seq').limit(1).executeTakeFirst()
    if (!newest) return
    const oldest = newest.seq - RECORDS_TOGETHER
    let together = earlier.where('seq', '>', oldest)
    if (from !== undefined) together = together.where('newest_at', '>=', Math.ceil(from))
    if (to !== undefined) together = together.where('oldest_at', '<', Math.ceil(to))
    yield* await together.selectAll().execute()
    earlier = newestFirst.where('seq', '<=', oldest)
    await setImmediate()
  }
}

interface Page {
  readonly records: AuditRecord[]
  readonly total: number
}

/** Reads all blocks of the time that is asked for: no index but the key, because every call would pay for it. */
async function listMatching(db: Database, filter: AuditFilter): Promise<Page> {
  const { limit, offset } = filter
  const records: AuditRecord[] = []
  let total = 0
  for await (const block of blocksNewestFirst(db, filter)) {
    const matches = matchesIn(block, filter)
    const from = Math.max(0, offset - total)
    records.push(...matches.slice(from, from + limit - records.length))
    total += matches.length
  }
  return { records, total }
}

/** Reads no further than the page. */
async function listAll(db: Database, filter: AuditFilter): Promise<Page> {
  const { limit, offset } = filter
  const counted = ofTenant(db, filter.tenant).select(({ fn }) => fn.sum<number | null>('records').as('total'))
  const { total } = await counted.executeTakeFirstOrThrow()
  const lines: string[] = []
  for await (const block of blocksNewestFirst(db, filter)) {
    lines.push(...linesOf(block).toReversed())
    if (lines.length >= offset + limit) break
  }
  return { records: lines.slice(offset, offset + limit).map(recordOf), total: total ?? 0 }
}
