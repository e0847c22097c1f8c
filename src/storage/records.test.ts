import { describe, expect, test } from 'vitest'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { NAUGHTY_STRINGS, upstreamRecord } from '../../test/support/storage-samples.ts'

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`records on ${engine.name}`, () => {
    test('a record comes back as it went in', async () => {
      await using storage = await freshStorage(engine)
      const record = upstreamRecord({ description: 'Reads files', fileDigest: 'abc', prefix: '' })
      await storage.registry.upstreams.insert(record)
      expect(await storage.registry.upstreams.list()).toEqual([record])
    })

    test('records are listed by creation, even those of one millisecond', async () => {
      await using storage = await freshStorage(engine)
      const names = ['zebra', 'ape', 'mouse', 'bear']
      for (const name of names) await storage.registry.upstreams.insert(upstreamRecord({ name }))
      expect((await storage.registry.upstreams.list()).map(({ name }) => name)).toEqual(names)
    })

    test('of many who take one name at once exactly one succeeds', async () => {
      await using storage = await freshStorage(engine)
      const attempts = Array.from({ length: 20 }, () => upstreamRecord({ name: 'files' }))
      const results = await Promise.allSettled(attempts.map((record) => storage.registry.upstreams.insert(record)))
      const refusals = results.filter((result) => result.status === 'rejected')
      expect(refusals).toHaveLength(19)
      for (const { reason } of refusals) {
        expect(reason).toMatchObject({ code: 'conflict', message: 'A server named files exists already' })
      }
      expect(await storage.registry.upstreams.list()).toHaveLength(1)
    })

    test('an id that exists is refused', async () => {
      await using storage = await freshStorage(engine)
      const record = upstreamRecord()
      await storage.registry.upstreams.insert(record)
      const twin = storage.registry.upstreams.insert({ ...record, name: 'other' })
      await expect(twin).rejects.toMatchObject({ code: 'conflict' })
    })

    test('an update replaces the record, and a member left out is gone', async () => {
      await using storage = await freshStorage(engine)
      const record = upstreamRecord({ description: 'old' })
      await storage.registry.upstreams.insert(record)
      const { description: _, ...changed } = { ...record, name: 'renamed', enabled: false }
      await storage.registry.upstreams.update(changed)
      expect(await storage.registry.upstreams.list()).toStrictEqual([changed])
    })

    test('an update keeps the place in the list', async () => {
      await using storage = await freshStorage(engine)
      const [first, second] = [upstreamRecord(), upstreamRecord()]
      await storage.registry.upstreams.insert(first)
      await storage.registry.upstreams.insert(second)
      await storage.registry.upstreams.update({ ...first, enabled: false })
      expect((await storage.registry.upstreams.list()).map(({ id }) => id)).toEqual([first.id, second.id])
    })

    test('an update to a taken name is refused and changes nothing', async () => {
      await using storage = await freshStorage(engine)
      const [one, other] = [upstreamRecord({ name: 'one' }), upstreamRecord({ name: 'other' })]
      await storage.registry.upstreams.insert(one)
      await storage.registry.upstreams.insert(other)
      const change = storage.registry.upstreams.update({ ...other, name: 'one' })
      await expect(change).rejects.toMatchObject({ code: 'conflict', message: 'A server named one exists already' })
      expect(await storage.registry.upstreams.list()).toEqual([one, other])
    })

    test('an update of what is not there is not found', async () => {
      await using storage = await freshStorage(engine)
      await expect(storage.registry.upstreams.update(upstreamRecord())).rejects.toMatchObject({ code: 'not_found' })
      expect(await storage.registry.upstreams.list()).toEqual([])
    })

    test('a delete says whether there was something, and frees the name', async () => {
      await using storage = await freshStorage(engine)
      const record = upstreamRecord({ name: 'files' })
      await storage.registry.upstreams.insert(record)
      expect(await storage.registry.upstreams.delete(record.id)).toBe(true)
      expect(await storage.registry.upstreams.delete(record.id)).toBe(false)
      await storage.registry.upstreams.insert(upstreamRecord({ name: 'files' }))
    })

    test('a name is taken in its own set only', async () => {
      await using storage = await freshStorage(engine)
      const shared = {
        ...upstreamRecord({ name: 'files' }),
        include: [],
        exclude: [],
        expose: 'all',
        overrides: {},
      } as const
      await storage.registry.upstreams.insert(shared)
      await storage.registry.namespaces.insert(shared)
      expect(await storage.registry.namespaces.list()).toEqual([shared])
    })

    test('every string survives, wherever it stands', async () => {
      await using storage = await freshStorage(engine)
      const records = NAUGHTY_STRINGS.map((text) =>
        upstreamRecord({
          id: `id ${text}`,
          name: text,
          description: text,
          connection: { kind: 'stdio', command: text, args: NAUGHTY_STRINGS, env: { [text]: text } },
        }),
      )
      for (const record of records) await storage.registry.upstreams.insert(record)
      expect(await storage.registry.upstreams.list()).toStrictEqual(records)
      for (const record of records) {
        const twin = storage.registry.upstreams.insert({ ...record, id: `other ${record.id}` })
        await expect(twin).rejects.toMatchObject({ code: 'conflict' })
        await storage.registry.upstreams.update({ ...record, enabled: false })
        expect(await storage.registry.upstreams.delete(record.id)).toBe(true)
      }
    })

    test('a member named __proto__ is data', async () => {
      await using storage = await freshStorage(engine)
      const env = JSON.parse('{"__proto__":"polluted","a":"b"}') as Record<string, string>
      const record = upstreamRecord({ connection: { kind: 'stdio', command: 'x', args: [], env } })
      await storage.registry.upstreams.insert(record)
      const [stored] = await storage.registry.upstreams.list()
      expect(JSON.stringify(stored)).toBe(JSON.stringify(record))
      expect(({} as { a?: string }).a).toBeUndefined()
    })
  })
}
