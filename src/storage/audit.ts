import type { Transaction } from 'kysely'
import type { AuditEntry, AuditFilter, AuditRecord, AuditStore, KeptLink, LockedChain, NewLink } from '#audit/record'
import { readBody } from './row-body.ts'
import type { AuditTable, Database, Engine, Schema } from './schema.ts'
import { textKey } from './text-key.ts'

/** No head yet: the row is there to be locked. */
const UNSEALED = ''

/** The audit chains. */
export function createAuditStore(engine: Engine): AuditStore {
  const { db } = engine
  return {
    append: (tenant, grow) =>
      db.transaction().execute(async (transaction) => {
        const sealed = await lockHead(engine, transaction, tenant)
        const growth = await grow(lockedChain(transaction, tenant, sealed))
        await engine.insert(transaction, 'audit_records', growth.links.map(rowOf))
        const update = transaction.updateTable('audit_heads').set({ sealed: growth.sealed })
        await update.where('tenant', '=', textKey(tenant)).execute()
      }),
    async sealedHead(tenant) {
      const query = db.selectFrom('audit_heads').select('sealed').where('tenant', '=', textKey(tenant))
      const row = await query.executeTakeFirst()
      return row === undefined || row.sealed === UNSEALED ? undefined : row.sealed
    },
    async read(tenant, afterSeq, limit) {
      const rows = await ofTenant(db, tenant)
        .selectAll()
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(limit)
        .execute()
      return rows.map(keptLink)
    },
    async list(filter) {
      const { limit, offset } = filter
      const newest = matching(db, filter).select('body').orderBy('seq', 'desc').limit(limit).offset(offset)
      const counted = matching(db, filter).select(({ fn }) => fn.countAll<number>().as('total'))
      const [rows, { total }] = await Promise.all([newest.execute(), counted.executeTakeFirstOrThrow()])
      return { records: rows.map(({ body }) => readBody('audit_records', body) as AuditRecord), total }
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

function lockedChain(db: Transaction<Schema>, tenant: string, sealed: string | undefined): LockedChain {
  return {
    sealed,
    last: () => ofTenant(db, tenant).select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst(),
    async bodiesAfter(seq) {
      const rows = await ofTenant(db, tenant).select('body').where('seq', '>', seq).orderBy('seq').execute()
      return rows.map(({ body }) => body)
    },
  }
}

function ofTenant(db: Database, tenant: string) {
  return db.selectFrom('audit_records').where('tenant', '=', textKey(tenant))
}

type Indexed = Pick<AuditTable, 'tenant' | 'at' | 'actor' | 'action' | 'resource' | 'outcome'>

function indexOf(
  { tenant, actor, action, resource, outcome }: Omit<AuditEntry, 'id' | 'at' | 'surface'>,
  at: number,
): Indexed {
  const keys = { tenant: textKey(tenant), actor: textKey(actor), action: textKey(action), resource: textKey(resource) }
  return { ...keys, at, outcome }
}

function rowOf({ seq, hash, body, entry }: NewLink): AuditTable {
  return { ...indexOf(entry, entry.at), seq, hash, body }
}

function keptLink({ seq, hash, body, ...columns }: AuditTable): KeptLink {
  return { seq, hash, body, isIndexed: isIndexOf(columns, seq, body) }
}

function isIndexOf(columns: Indexed, seq: number, body: string): boolean {
  try {
    const record = JSON.parse(body) as AuditRecord
    const wanted: Indexed = indexOf(record, Date.parse(record.time))
    const names = Object.keys(wanted) as (keyof Indexed)[]
    return record.seq === seq && names.every((name) => columns[name] === wanted[name])
  } catch {
    // Whoever reads hears of it: what is no record is not as it was written.
    return false
  }
}

function matching(db: Database, filter: AuditFilter) {
  let query = ofTenant(db, filter.tenant)
  for (const column of ['actor', 'action', 'resource'] as const) {
    const text = filter[column]
    if (text !== undefined) query = query.where(column, '=', textKey(text))
  }
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome)
  if (filter.from !== undefined) query = query.where('at', '>=', Math.ceil(filter.from))
  if (filter.to !== undefined) query = query.where('at', '<', Math.ceil(filter.to))
  return query
}
