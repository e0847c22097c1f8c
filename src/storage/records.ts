import { sql } from 'kysely'
import { AppError } from '#kernel/errors'
import type { RecordStore } from '#registry/stores'
import type { Database, RecordTableName } from './schema.ts'
import { plainBodies, type Bodies } from './sealed-bodies.ts'
import { isUniqueViolation } from './storage-errors.ts'
import { textKey } from './text-key.ts'

interface StoredRecord {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** What a record is called in the messages of refusals. */
const NOUNS: Record<RecordTableName, string> = {
  upstreams: 'server',
  http_tools: 'tool',
  tool_overrides: 'tool override',
  namespaces: 'namespace',
  roles: 'role',
}

/** One of the tables of records. */
export function createRecordStore<T extends StoredRecord>(
  db: Database,
  tableName: RecordTableName,
  bodies: Bodies = plainBodies(tableName),
): RecordStore<T> {
  const noun = NOUNS[tableName]
  // All of them have one shape, so the types of the first stand for each.
  const table = tableName as 'upstreams'
  return {
    async list() {
      const rows = await db.selectFrom(table).select('body').orderBy('position').orderBy('id').execute()
      return rows.map(({ body }) => bodies.read(body) as T)
    },
    async insert(record) {
      const position = sql<number>`(select coalesce(max(position), 0) + 1 from ${sql.table(table)})`
      const row = {
        ...columnsOf(record, bodies),
        id: textKey(record.id),
        position,
        created_at: Math.floor(record.createdAt),
      }
      const insertion = db
        .insertInto(table)
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
      const { numInsertedOrUpdatedRows } = await insertion.executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows === 0n) throw taken(noun, record.name)
    },
    async update(record) {
      const change = db.updateTable(table).set(columnsOf(record, bodies)).where('id', '=', textKey(record.id))
      const { numUpdatedRows } = await change.executeTakeFirstOrThrow().catch((thrown: unknown) => {
        throw isUniqueViolation(thrown) ? taken(noun, record.name) : thrown
      })
      if (numUpdatedRows === 0n) throw new AppError('not_found', `There is no ${noun} ${record.name} to change`)
    },
    async delete(id) {
      const { numDeletedRows } = await db.deleteFrom(table).where('id', '=', textKey(id)).executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },
  }
}

function columnsOf(record: StoredRecord, bodies: Bodies) {
  return { name: textKey(record.name), updated_at: Math.floor(record.updatedAt), body: bodies.write(record) }
}

function taken(noun: string, name: string): AppError {
  return new AppError('conflict', `A ${noun} named ${name} exists already`, { details: { name } })
}
