import { type Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openAudit, type AuditLog } from '#audit/audit-log'
import { chainOf, EMPTY } from '#audit/chain'
import { createHeadSeal } from '#audit/head'
import type { AuditEntry, NewLink } from '#audit/record'
import { uuidv7 } from '#kernel/ids'
import { createRingSealer } from '#kernel/seal'
import { durableEngines, type StorageEngine } from '../../test/support/storage-engines.ts'
import { quiet } from '../../test/support/test-registry.ts'
import { createAuditBlockTable } from './audit-block-table.ts'
import { createAuditTables } from './audit-tables.ts'
import { createAuditStore } from './audit.ts'
import { openPostgres } from './postgres.ts'
import type { Engine } from './schema.ts'
import { openSqlite } from './sqlite.ts'

const SECRET = Buffer.from('only-for-tests-0123456789-abcdefghijklmnop')
const { seal } = createHeadSeal(createRingSealer([SECRET]))

function entryAt(at: number): AuditEntry {
  const what = { action: 'tools:execute', resource: 'é\n', outcome: 'success', surface: 'mcp' } as const
  return { id: uuidv7(), at, tenant: 'default', actor: 'alice', ...what }
}

/** As the version before kept records: one a row. */
async function keepInRows({ db }: Engine, tenant: string, links: readonly NewLink[]): Promise<void> {
  for (const { seq, at, hash, body } of links)
    await sql`insert into audit_records (tenant, seq, at, actor, action, resource, outcome, hash, body)
      values (${tenant}, ${seq}, ${at}, 'alice', 'tools:execute', 'é', 'success', ${hash}, ${body})`.execute(db)
  await sql`insert into audit_heads values (${tenant}, ${seal(tenant, links.at(-1) ?? EMPTY)})`.execute(db)
}

async function openStage(kept: StorageEngine) {
  const place = await kept.place()
  const { database } = place
  const engine =
    database.kind === 'sqlite' ? openSqlite(database.path) : await openPostgres(database.url.reveal(), quiet)
  // Migrations know of no tables.
  const db = engine.db as unknown as Kysely<unknown>
  await createAuditTables(db)
  return {
    engine,
    async migrated(): Promise<AuditLog> {
      await createAuditBlockTable(db)
      const store = createAuditStore(engine)
      return openAudit({ store, secret: SECRET, log: quiet, now: () => 1_800_000_009_000, newId: uuidv7 })
    },
    async [Symbol.asyncDispose]() {
      await engine.close()
      await place[Symbol.asyncDispose]()
    },
  }
}

for (const each of durableEngines)
  describe.skipIf(!each.available)(`R292 an audit of one row a record on ${each.name}`, () => {
    test('is kept to the letter, and goes on', async () => {
      await using t = await openStage(each)
      const entries = Array.from({ length: 1203 }, (_, n) => entryAt(1_800_000_000_000 + n))
      const links = chainOf(EMPTY, entries)
      await keepInRows(t.engine, 'default', links)
      await keepInRows(t.engine, 'other', links.slice(0, 1))
      await using log = await t.migrated()
      let text = ''
      for await (const part of log.lines('default')) text += part
      expect(text).toBe(links.map(({ hash, body }) => `{"hash":"${hash}","record":${body}}\n`).join(''))
      await log.record(entryAt(1_800_000_002_000))
      expect(await log.verify('default')).toMatchObject({ ok: true, records: 1204 })
      expect(await log.verify('other')).toMatchObject({ ok: true, records: 1 })
      const late = { tenant: 'default', from: 1_800_000_001_202, limit: 10, offset: 0 }
      expect((await log.list(late)).records.map(({ seq }) => seq)).toEqual([1204, 1203])
    })

    test.each([
      'delete from audit_records where seq = 7',
      `update audit_records set body = replace(body, 'alice', 'mally') where seq = 7`,
      'delete from audit_records where seq >= 7',
    ])('does not hide what was done to it before: %s', async (tampering) => {
      await using t = await openStage(each)
      await keepInRows(t.engine, 'default', chainOf(EMPTY, [1, 2, 3, 4, 5, 6, 7, 8, 9].map(entryAt)))
      await sql.raw(tampering).execute(t.engine.db)
      await using log = await t.migrated()
      expect(await log.verify('default')).toMatchObject({ ok: false, first_bad: 7 })
    })
  })
