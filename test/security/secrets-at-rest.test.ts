import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { DatabaseConfig } from '#config/config'
import { createVault } from '#kernel/vault'
import type { HttpToolRecord, UpstreamRecord } from '#registry/records'
import { durableEngines, openQuietly } from '../support/storage-engines.ts'
import { upstreamRecord } from '../support/storage-samples.ts'

const CANARY = 'CANARY-9f2c'
const newKey = () => randomBytes(48)

/** What is secret about how it is reached, in every member that may hold some. */
function records(count = 3): UpstreamRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const env = { TOKEN: `${CANARY}-env-${index}` }
    const headers = { Authorization: `Bearer ${CANARY}-header-${index}` }
    const url = `https://mcp.example.com/?key=${CANARY}-query-${index}`
    return upstreamRecord({
      name: `server ${index}`,
      connection:
        index % 2 === 0
          ? { kind: 'stdio', command: 'node', args: [`--token=${CANARY}-argument-${index}`], env }
          : { kind: 'http', url, headers, transport: 'auto' },
    })
  })
}

const TOOL: HttpToolRecord = {
  id: 'tool-1',
  name: 'weather',
  origin: 'api',
  createdAt: 1,
  updatedAt: 1,
  description: 'Weather',
  endpoint: `https://api.example.com/weather?appid=${CANARY}-endpoint`,
  method: 'GET',
  headers: { 'X-Key': `${CANARY}-tool-header` },
  inputSchema: { type: 'object' },
  tags: [],
  capabilities: [],
  securityLevel: 0,
  metadata: {},
  enabled: true,
  timeoutMs: 1000,
}

/** A database with these records, sealed with the key; closed again. */
async function filled(database: DatabaseConfig, key: Uint8Array, stored = records()) {
  await using storage = await openQuietly(database, createVault([key]))
  for (const record of stored) await storage.registry.upstreams.insert(record)
  await storage.registry.httpTools.insert(TOOL)
  return stored
}

for (const engine of durableEngines) {
  describe.skipIf(!engine.available)(`E3 secrets on ${engine.name}`, () => {
    test('are sealed where they are stored and come back as they were', async () => {
      await using place = await engine.place()
      const key = newKey()
      const stored = await filled(place.database, key)
      await using storage = await openQuietly(place.database, createVault([key]))
      expect(await storage.registry.upstreams.list()).toEqual(stored)
      expect(await storage.registry.httpTools.list()).toEqual([TOOL])
    })

    test('are not lost with the key: what it is about is named, everything else works, and the key brings them back', async () => {
      await using place = await engine.place()
      const key = newKey()
      const stored = await filled(place.database, key)
      {
        await using storage = await openQuietly(place.database, createVault([newKey()]))
        const [first, ...others] = await storage.registry.upstreams.list()
        expect(first).toMatchObject({ name: 'server 0', connection: { command: '' } })
        expect(first?.locked?.reason).toMatch(
          /cannot be read. It was sealed with a key that this gateway has not \([\w-]{11}\)/,
        )
        expect(JSON.stringify([first, others])).not.toContain(CANARY)
        await storage.registry.upstreams.update({ ...first!, enabled: false })
        expect(await storage.reseal()).toEqual({ resealed: 0, locked: 4 })
        await storage.registry.upstreams.insert(upstreamRecord({ name: 'new' }))
        expect((await storage.registry.upstreams.list()).at(-1)).toMatchObject({ name: 'new' })
      }
      await using storage = await openQuietly(place.database, createVault([key]))
      const back = await storage.registry.upstreams.list()
      expect(back.slice(0, 3)).toEqual([{ ...stored[0], enabled: false }, ...stored.slice(1)])
      expect(back[3]?.locked).toBeDefined()
    })

    test('are sealed anew with another key while the one before still opens them; then it can go', async () => {
      await using place = await engine.place()
      const [old, next] = [newKey(), newKey()]
      const stored = await filled(place.database, old)
      {
        await using storage = await openQuietly(place.database, createVault([next, old]))
        expect(await storage.registry.upstreams.list()).toEqual(stored)
        expect(await storage.reseal()).toEqual({ resealed: 4, locked: 0 })
        expect(await storage.reseal()).toEqual({ resealed: 0, locked: 0 })
      }
      await using storage = await openQuietly(place.database, createVault([next]))
      expect(await storage.registry.upstreams.list()).toEqual(stored)
      expect(await storage.registry.httpTools.list()).toEqual([TOOL])
    })

    test('that change while they are sealed anew are not overwritten', async () => {
      await using place = await engine.place()
      const [old, next] = [newKey(), newKey()]
      const stored = await filled(place.database, old, records(20))
      await using storage = await openQuietly(place.database, createVault([next, old]))
      const changed = stored.map((record) => ({ ...record, description: 'changed' }))
      await Promise.all([storage.reseal(), ...changed.map((record) => storage.registry.upstreams.update(record))])
      expect(await storage.registry.upstreams.list()).toEqual(changed)
      expect(await storage.reseal()).toEqual({ resealed: 0, locked: 0 })
    })
  })
}

/** All that lies on the disk of it, also in what is not used any more. */
const onDisk = (path: string) =>
  ['', '-wal'].map((end) => readFileSync(path + end, { flag: 'a+' }).toString('latin1')).join('')
const pathOf = (database: DatabaseConfig) => (database.kind === 'sqlite' ? database.path : '')
const run = (path: string, statement: string) => {
  const database = new DatabaseSync(path)
  database.exec(statement)
  database.close()
}

const sealedOf = (id: string) => `(select json_extract(body, '$.sealed') from upstreams where id = '${id}')`

describe('E3 the file of the database', () => {
  const [sqlite] = durableEngines

  test('holds no secret, not while the gateway runs either', async () => {
    await using place = await sqlite!.place()
    const key = newKey()
    await filled(place.database, key)
    expect(onDisk(pathOf(place.database))).not.toContain(CANARY)
    await using storage = await openQuietly(place.database, createVault([key]))
    const [record] = await storage.registry.upstreams.list()
    await storage.registry.upstreams.update({ ...record!, description: 'changed' })
    expect(onDisk(pathOf(place.database))).toContain('changed')
    expect(onDisk(pathOf(place.database))).not.toContain(CANARY)
  })

  test('of an older version is sealed at the next start, down to its free pages', async () => {
    await using place = await sqlite!.place()
    const stored = records(300)
    {
      await using storage = await openQuietly(place.database)
      for (const record of stored) await storage.registry.upstreams.insert(record)
    }
    const path = pathOf(place.database)
    run(path, 'delete from upstreams')
    const database = new DatabaseSync(path)
    const row = database.prepare(
      'insert into upstreams (id, name, position, created_at, updated_at, body) values (?, ?, ?, 1, 1, ?)',
    )
    stored.forEach((record, index) => row.run(record.id, record.name, index, JSON.stringify(record)))
    database.close()
    expect(onDisk(path)).toContain(CANARY)
    await using storage = await openQuietly(place.database)
    expect(await storage.registry.upstreams.list()).toEqual(stored)
    expect(onDisk(path)).not.toContain(CANARY)
  })

  test('opens a sealed text in its own row and nowhere else', async () => {
    await using place = await sqlite!.place()
    const key = newKey()
    const stored = await filled(place.database, key)
    const path = pathOf(place.database)
    const [one, other] = stored.map(({ id }) => id)
    run(path, `create table swap as select id, json_extract(body, '$.sealed') as sealed from upstreams`)
    run(
      path,
      `update upstreams set body = json_set(body, '$.sealed', (select sealed from swap where id = '${other}')) where id = '${one}'`,
    )
    run(
      path,
      `update upstreams set body = json_set(body, '$.sealed', (select sealed from swap where id = '${one}')) where id = '${other}'`,
    )
    run(path, `update http_tools set body = json_set(body, '$.sealed', ${sealedOf(stored[2]!.id)})`)
    await using storage = await openQuietly(place.database, createVault([key]))
    const [first, second, third] = await storage.registry.upstreams.list()
    for (const record of [first, second])
      expect(record?.locked?.reason).toContain('It was changed, or belongs to something else')
    expect(third).toEqual(stored[2])
    expect((await storage.registry.httpTools.list())[0]?.locked?.reason).toContain('belongs to something else')
  })

  test.each(['a bit', 'the form', 'the key id', 'everything'])(
    'refuses a sealed text of which %s was changed',
    async (what) => {
      await using place = await sqlite!.place()
      const key = newKey()
      const [record] = await filled(place.database, key)
      const path = pathOf(place.database)
      const changed = {
        'a bit': `substr(sealed, 1, 40) || case substr(sealed, 41, 1) when 'A' then 'B' else 'A' end || substr(sealed, 42)`,
        'the form': `replace(sealed, 'sealed:v1', 'sealed:v2')`,
        'the key id': `substr(sealed, 1, 10) || 'AAAAAAAAAAA' || substr(sealed, 22)`,
        everything: `'nonsense'`,
      }[what]
      run(
        path,
        `update upstreams set body = json_set(body, '$.sealed', (select ${changed} from (select json_extract(body, '$.sealed') as sealed))) where id = '${record!.id}'`,
      )
      await using storage = await openQuietly(place.database, createVault([key]))
      const [first, ...others] = await storage.registry.upstreams.list()
      expect(first?.locked).toBeDefined()
      expect(others.filter(({ locked }) => locked)).toEqual([])
    },
  )
})
