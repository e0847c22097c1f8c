import * as fc from 'fast-check'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openAudit, type AuditLog } from '#audit/audit-log'
import type { AuditEntry, AuditStore } from '#audit/record'
import { uuidv7 } from '#kernel/ids'
import { durableEngines, openQuietly } from '../../test/support/storage-engines.ts'
import { NAUGHTY_STRINGS } from '../../test/support/storage-samples.ts'
import { TAMPER, WAYS } from '../../test/support/tampering.ts'
import { quiet } from '../../test/support/test-registry.ts'
import { createAuditStore } from './audit.ts'
import { openPostgres } from './postgres.ts'
import type { Engine } from './schema.ts'
import { openSqlite } from './sqlite.ts'

const SECRET = Buffer.from('only-for-tests-0123456789-abcdefghijklmnop')
const page = { tenant: 'default', limit: 1000, offset: 0 }

function entry(changes: Partial<AuditEntry> = {}): AuditEntry {
  const what = { action: 'tools:execute', resource: 'files__read', outcome: 'success', surface: 'mcp' } as const
  return { id: uuidv7(), at: 1_800_000_000_000, tenant: 'default', actor: 'alice', ...what, ...changes }
}

interface Stage extends AsyncDisposable {
  readonly engine: Engine
  readonly store: AuditStore
  /** What audits had to say of failures. */
  readonly errors: string[]
  /** A gateway's audit; several may write at once. */
  open(secret?: Uint8Array): AuditLog
}

function audit(store: AuditStore, secret: Uint8Array = SECRET, errors: string[] = []): AuditLog {
  const log = { ...quiet, error: (_fields: object, phrase: string) => void errors.push(phrase) }
  return openAudit({ store, secret, log, now: () => 1_800_000_000_000, newId: uuidv7 })
}

for (const each of durableEngines) {
  const openStage = async (): Promise<Stage> => {
    const place = await each.place()
    await (await openQuietly(place.database))[Symbol.asyncDispose]()
    const { database } = place
    const engine =
      database.kind === 'sqlite' ? openSqlite(database.path) : await openPostgres(database.url.reveal(), quiet)
    const store = createAuditStore(engine)
    const errors: string[] = []
    return {
      engine,
      store,
      errors,
      open: (secret) => audit(store, secret, errors),
      async [Symbol.asyncDispose]() {
        await engine.close()
        await place[Symbol.asyncDispose]()
      },
    }
  }

  describe.skipIf(!each.available)(`R292 the audit chain on ${each.name}`, () => {
    test('keeps what was recorded, whatever it holds, and finds it again by each filter', async () => {
      await using t = await openStage()
      await using log = t.open()
      for (const text of NAUGHTY_STRINGS) void log.note(entry({ actor: text, resource: text, facts: { text } }))
      void log.note(entry({ outcome: 'denied', at: 1_800_000_000_500 }))
      for (const text of NAUGHTY_STRINGS) {
        const { records, total } = await log.list({ ...page, actor: text, resource: text })
        expect([total, records[0]?.actor, records[0]?.facts]).toEqual([1, text, { text }])
      }
      const late = {
        from: 1_800_000_000_500,
        to: 1_800_000_000_501,
        action: 'tools:execute',
        outcome: 'denied',
      } as const
      expect((await log.list({ ...page, ...late })).total).toBe(1)
      expect((await log.list({ ...page, ...late, outcome: 'error' })).total).toBe(0)
      expect((await log.list({ ...page, limit: 2 })).records.map(({ seq }) => seq)).toEqual([17, 16])
      expect(await log.verify('default')).toMatchObject({ ok: true, records: NAUGHTY_STRINGS.length + 1 })
    })

    /** E5: each way of touching each place of a chain, with what the hashes alone cannot tell. */
    test('E5 an edit, a deletion, a swap, an insertion or a cut anywhere is found, at the first record that is not right', async () => {
      await using t = await openStage()
      await using log = t.open()
      const size = fc.integer({ min: 2, max: 6 })
      const ends = fc.array(fc.boolean(), { minLength: 6, maxLength: 6 })
      const place = fc.record({ size, ends, at: fc.nat(), way: fc.constantFrom(...WAYS) })
      let turn = 0
      await fc.assert(
        fc.asyncProperty(place, async ({ size, ends, at, way }) => {
          const tenant = `t${(turn += 1)}`
          for (let n = 0; n < size; n += 1) {
            void log.note(entry({ tenant, resource: `tool ${n}` }))
            if (ends[n]) await log.flush()
          }
          expect(await log.verify(tenant)).toMatchObject({ ok: true, records: size })
          const seq = (at % size) + 1
          const firstBad = await TAMPER[way](t.engine, tenant, { seq, size })
          expect(await log.verify(tenant)).toMatchObject({ ok: false, first_bad: firstBad })
        }),
        { numRuns: 150 },
      )
    })

    test('a chain whose hashes were all counted anew does not fit its seal, and the next record does not hide it', async () => {
      await using t = await openStage()
      const forger = openStageOfForger(t.store)
      await using log = t.open()
      for (let n = 0; n < 3; n += 1) await log.record(entry())
      await sql`delete from audit_blocks`.execute(t.engine.db)
      await sql`delete from audit_heads`.execute(t.engine.db)
      await forger.record(entry({ actor: 'mallory' }))
      expect(await log.verify('default')).toMatchObject({ ok: false, first_bad: 2 })
      await log.record(entry())
      await log.record(entry())
      expect(await log.verify('default')).toMatchObject({ ok: false })
      await using restarted = t.open()
      await restarted.record(entry())
      expect(await restarted.verify('default')).toMatchObject({ ok: false })
    })

    test('a head that was removed or sealed with another secret is told for good, also after a restart', async () => {
      await using t = await openStage()
      for (const secret of [SECRET, Buffer.from('the-secret-that-came-after-0123456789-abcdef')]) {
        await using log = t.open(secret)
        await log.record(entry())
        await sql`delete from audit_heads`.execute(t.engine.db)
      }
      await using restarted = t.open()
      await restarted.record(entry())
      expect((await restarted.list(page)).total).toBe(5)
      expect(await restarted.verify('default')).toMatchObject({ ok: false, first_bad: 2 })
      await using other = t.open(Buffer.from('another-secret-0123456789-abcdefghijklmnopqr'))
      await other.record(entry())
      const { head } = await other.verify('default')
      expect(head.seq).toBe(1)
    })

    test('the removal of a chain and its head is found by the gateway that wrote it, and by a head that was noted', async () => {
      await using t = await openStage()
      await using log = t.open()
      for (let n = 0; n < 3; n += 1) await log.record(entry())
      const { head } = await log.verify('default')
      await sql`delete from audit_blocks`.execute(t.engine.db)
      await sql`delete from audit_heads`.execute(t.engine.db)
      expect(await log.verify('default', head)).toMatchObject({ ok: false })
      await log.record(entry())
      expect(await log.verify('default')).toMatchObject({ ok: false, first_bad: 1 })
    })

    test('a list has what was asked for, newest first, wherever batches end', async () => {
      await using t = await openStage()
      await using log = t.open()
      const entries: AuditEntry[] = []
      for (let n = 0; n < 1304; n += 1) {
        const outcome = n % 3 === 0 ? 'denied' : 'success'
        // Who is slow is recorded after who began later.
        const made = entry({ actor: `a${n % 4}`, outcome, at: 1_800_000_000_000 + n - (n % 7) * 50 })
        entries.push(made)
        void log.note(made)
        if (n % 11 === 0 || n === 700) await log.flush()
      }
      const moment = fc.integer({ min: 1_799_999_999_600, max: 1_800_000_001_400 })
      const question = fc.record(
        {
          actor: fc.constantFrom('a0', 'a1', 'nobody'),
          outcome: fc.constant('denied' as const),
          from: moment,
          to: moment,
        },
        { requiredKeys: [] },
      )
      const part = fc.record({ limit: fc.integer({ min: 1, max: 1000 }), offset: fc.nat(1400) })
      await fc.assert(
        fc.asyncProperty(question, part, async (asked, { limit, offset }) => {
          const { actor, outcome, from = 0, to = Infinity } = asked
          const wanted = entries.filter(
            (each) =>
              (actor ?? each.actor) === each.actor &&
              (outcome ?? each.outcome) === each.outcome &&
              from <= each.at &&
              each.at < to,
          )
          const ids = wanted.toReversed().map(({ id }) => id)
          const { records, total } = await log.list({ ...asked, tenant: 'default', limit, offset })
          expect(total).toBe(wanted.length)
          expect(records.map(({ id }) => id)).toEqual(ids.slice(offset, offset + limit))
        }),
        { numRuns: 40 },
      )
    })

    test('words that only the facts of a record have are not what it is asked for', async () => {
      await using t = await openStage()
      await using log = t.open()
      void log.note(entry({ facts: { actor: 'bob', outcome: 'denied' } }))
      expect((await log.list({ ...page, actor: 'bob' })).total).toBe(0)
      expect((await log.list({ ...page, outcome: 'denied' })).total).toBe(0)
    })

    test('tenants have chains of their own', async () => {
      await using t = await openStage()
      await using log = t.open()
      for (let n = 0; n < 4; n += 1) void log.note(entry({ tenant: n % 2 === 0 ? 'a' : 'b' }))
      for (const tenant of ['a', 'b']) {
        expect(await log.verify(tenant)).toMatchObject({ ok: true, records: 2 })
        expect((await log.list({ ...page, tenant })).records.map(({ seq }) => seq)).toEqual([2, 1])
      }
      await sql`update audit_heads set sealed = (select sealed from audit_heads where tenant = 'a')`.execute(
        t.engine.db,
      )
      expect(await log.verify('b')).toMatchObject({ ok: false })
    })

    test('several gateways append to one chain, and none of their records is lost or twice', async () => {
      await using t = await openStage()
      const logs = Array.from({ length: 4 }, () => t.open())
      const ids = logs.flatMap((log) =>
        Array.from({ length: 300 }, () => {
          const one = entry()
          void log.note(one)
          return one.id
        }),
      )
      await Promise.all(logs.map((log) => log.flush()))
      expect(t.errors).toEqual([])
      const [log] = logs as [AuditLog]
      expect(await log.verify('default')).toMatchObject({ ok: true, records: 1200 })
      const { records } = await log.list({ ...page, limit: 2000 })
      expect(records.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
      await Promise.all(logs.map((each) => each[Symbol.asyncDispose]()))
    })

    test('a batch whose answer was lost is not written twice', async () => {
      await using t = await openStage()
      const state = { loses: false }
      const forgetful: AuditStore = {
        ...t.store,
        async append(tenant, grow) {
          await t.store.append(tenant, grow)
          if (!state.loses) return
          state.loses = false
          throw new Error('connection lost')
        },
      }
      await using log = audit(forgetful)
      await log.record(entry())
      state.loses = true
      const waiting = log.record(entry({ actor: 'lost' }))
      void log.note(entry({ actor: 'late' }))
      await waiting
      expect((await log.list(page)).records.map(({ actor }) => actor)).toEqual(['late', 'lost', 'alice'])
      expect(await log.verify('default')).toMatchObject({ ok: true, records: 3 })
    })

    test('the export holds every record to the letter, so that others can count the hashes', async () => {
      await using t = await openStage()
      await using log = t.open()
      for (let n = 0; n < 1100; n += 1) void log.note(entry({ resource: `a\r\nb\u001b[31m ${n}` }))
      await log.flush()
      let text = ''
      for await (const part of log.lines('default')) text += part
      const lines = text.trimEnd().split('\n')
      expect(lines).toHaveLength(1100)
      expect([text.includes('\r'), text.includes('\u001b')]).toEqual([false, false])
      let before = ''
      for (const line of lines) {
        const { hash } = JSON.parse(line) as { hash: string }
        const body = line.slice(`{"hash":"${hash}","record":`.length, -1)
        const bytes = await crypto.subtle.digest('SHA-256', Buffer.from(`${before}\n${body}`))
        expect(Buffer.from(bytes).toString('base64url')).toBe(hash)
        before = hash
      }
    })
  })
}

/** Somebody who can write to the database and knows the program, but not its secret. */
function openStageOfForger(store: AuditStore): AuditLog {
  return audit(store, Buffer.from('somebody-elses-secret-0123456789-abcdefghij'))
}
