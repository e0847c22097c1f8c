import { describe, expect, test } from 'vitest'
import { freshStorage, storageEngines } from '../../test/support/storage-engines.ts'
import { NAUGHTY_STRINGS, searchRecord } from '../../test/support/storage-samples.ts'

const page = { limit: 100, offset: 0 }
const NOON = 1_800_000_000_000
const missed = { found: 0, total: 0 }
const none = { count: 0, cached: 0 }

for (const engine of storageEngines) {
  describe.skipIf(!engine.available)(`history of searches on ${engine.name}`, () => {
    test('R074 a search comes back with all its facts', async () => {
      await using storage = await freshStorage(engine)
      const search = searchRecord({ namespace: 'dev', mode: 'keyword', surface: 'rest', cached: true, ...missed })
      await storage.search.searches.append([search])
      await storage.search.searches.append([])
      expect(await storage.search.searches.list(page)).toStrictEqual({ searches: [search], total: 1 })
    })

    test('a caller cannot break the history with a query or a name', async () => {
      await using storage = await freshStorage(engine)
      const searches = NAUGHTY_STRINGS.map((text) => searchRecord({ principal: text, query: text, namespace: text }))
      await storage.search.searches.append(searches)
      for (const search of searches) {
        const { principal } = search
        expect(await storage.search.searches.list({ principal, ...page })).toStrictEqual({
          searches: [search],
          total: 1,
        })
        expect(await storage.search.searches.stats({ principal })).toMatchObject({ hybrid: { count: 1 } })
      }
    })

    test('R074 who asks for one’s own searches sees no others, the newest first, and a total beyond the page', async () => {
      await using storage = await freshStorage(engine)
      const searches = Array.from({ length: 9 }, (_, index) =>
        searchRecord({ principal: index % 3 === 0 ? 'bob' : 'alice', startedAt: NOON + index }),
      )
      await storage.search.searches.append(searches)
      const own = await storage.search.searches.list({ principal: 'alice', limit: 3, offset: 1 })
      expect(own.searches.map(({ startedAt }) => startedAt - NOON)).toEqual([7, 5, 4])
      expect(own.total).toBe(6)
      expect(await storage.search.searches.list({ principal: 'carol', ...page })).toEqual({ searches: [], total: 0 })
    })

    test('filters hold together, and a time range includes its start and excludes its end', async () => {
      await using storage = await freshStorage(engine)
      const wanted = searchRecord({ mode: 'keyword', startedAt: NOON })
      const others = [
        { principal: 'bob' },
        { mode: 'hybrid' },
        { startedAt: NOON - 1 },
        { startedAt: NOON + 10 },
      ] as const
      await storage.search.searches.append([
        wanted,
        ...others.map((other) => searchRecord({ ...wanted, id: crypto.randomUUID(), ...other })),
      ])
      const filter = { principal: 'alice', mode: 'keyword', from: NOON, to: NOON + 10, ...page } as const
      expect(await storage.search.searches.list(filter)).toEqual({ searches: [wanted], total: 1 })
      expect((await storage.search.searches.list({ mode: 'keyword', ...page })).total).toBe(4)
    })

    test('R073 counts and times are by mode, percentiles exact, and a mode that nobody used has no times', async () => {
      await using storage = await freshStorage(engine)
      await storage.search.searches.append([
        ...Array.from({ length: 200 }, (_, index) =>
          searchRecord({ mode: 'keyword', durationMs: ((index * 77) % 200) + 1, cached: index % 4 === 0 }),
        ),
        searchRecord({ mode: 'semantic', durationMs: 0.25 }),
      ])
      expect(await storage.search.searches.stats({})).toStrictEqual({
        keyword: { count: 200, cached: 50, averageMs: 100.5, p50Ms: 100, p95Ms: 190, p99Ms: 198 },
        semantic: { count: 1, cached: 0, averageMs: 0.25, p50Ms: 0.25, p95Ms: 0.25, p99Ms: 0.25 },
        hybrid: none,
      })
    })

    test('R073 statistics are of one principal and of a time where that is asked', async () => {
      await using storage = await freshStorage(engine)
      await storage.search.searches.append([
        searchRecord({ durationMs: 4 }),
        searchRecord({ durationMs: 8, startedAt: NOON + 5 }),
        searchRecord({ durationMs: 99, startedAt: NOON + 5, principal: 'bob' }),
      ])
      expect((await storage.search.searches.stats({ principal: 'alice' })).hybrid).toMatchObject({
        count: 2,
        averageMs: 6,
      })
      expect((await storage.search.searches.stats({ principal: 'alice', from: NOON + 1 })).hybrid.averageMs).toBe(8)
      expect(await storage.search.searches.stats({ from: NOON + 6 })).toEqual({
        keyword: none,
        semantic: none,
        hybrid: none,
      })
    })

    test('counts are of all searches, times of the newest ten thousand of a mode', async () => {
      await using storage = await freshStorage(engine)
      const old = Array.from({ length: 2_000 }, () => searchRecord({ durationMs: 1_000 }))
      const recent = Array.from({ length: 10_000 }, () => searchRecord({ durationMs: 2, startedAt: NOON + 1 }))
      for (let from = 0; from < recent.length; from += 500)
        await storage.search.searches.append(recent.slice(from, from + 500))
      await storage.search.searches.append(old)
      expect((await storage.search.searches.stats({})).hybrid).toMatchObject({ count: 12_000, averageMs: 2, p99Ms: 2 })
    })

    test('R073 what was looked for in vain is counted whatever its case and its blanks, the most frequent first', async () => {
      await using storage = await freshStorage(engine)
      const long = 'Ünlikely '.repeat(1_000)
      await storage.search.searches.append([
        searchRecord({ ...missed, query: '  Book a\tFLIGHT ', startedAt: NOON + 3 }),
        searchRecord({ ...missed, query: 'book  a flight\n', startedAt: NOON + 9 }),
        searchRecord({ ...missed, query: long, startedAt: NOON + 4 }),
        searchRecord({ ...missed, query: long.toUpperCase(), startedAt: NOON + 5 }),
        searchRecord({ ...missed, query: long, startedAt: NOON + 6 }),
        searchRecord({ ...missed, query: 'pay taxes', startedAt: NOON + 1 }),
        searchRecord({ query: 'found', startedAt: NOON + 20 }),
      ])
      const flight = { query: 'book a flight', count: 2, lastSearchedAt: NOON + 9 }
      const unlikely = { query: long.trim().toLowerCase(), count: 3, lastSearchedAt: NOON + 6 }
      const taxes = { query: 'pay taxes', count: 1, lastSearchedAt: NOON + 1 }
      expect(await storage.search.searches.missed(10)).toEqual([unlikely, flight, taxes])
      expect(await storage.search.searches.missed(1)).toEqual([unlikely])
      expect(await storage.search.searches.missed(10, NOON + 5)).toEqual([
        { ...unlikely, count: 2 },
        { ...flight, count: 1 },
      ])
      expect(await storage.search.searches.missed(10, NOON + 10)).toEqual([])
    })

    test('a batch that is repeated is there once', async () => {
      await using storage = await freshStorage(engine)
      const batch = [searchRecord(), searchRecord()]
      await storage.search.searches.append(batch)
      await storage.search.searches.append([...batch, searchRecord()])
      expect((await storage.search.searches.list(page)).total).toBe(3)
    })

    test('of a batch that fails nothing stays', async () => {
      await using storage = await freshStorage(engine)
      const broken = searchRecord({ durationMs: null as unknown as number })
      await expect(storage.search.searches.append([searchRecord(), broken])).rejects.toMatchObject({
        code: 'unavailable',
      })
      expect((await storage.search.searches.list(page)).total).toBe(0)
    })

    test('pruning removes what started before, to the millisecond, and says how many', async () => {
      await using storage = await freshStorage(engine)
      const old = Array.from({ length: 2_500 }, (_, index) => searchRecord({ startedAt: NOON - 1 - index }))
      const kept = searchRecord({ startedAt: NOON })
      await storage.search.searches.append([...old, kept])
      expect(await storage.search.searches.prune(NOON)).toBe(2_500)
      expect(await storage.search.searches.prune(NOON)).toBe(0)
      expect(await storage.search.searches.list(page)).toEqual({ searches: [kept], total: 1 })
    })
  })
}
