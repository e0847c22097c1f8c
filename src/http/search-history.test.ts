import { expect, test } from 'vitest'
import type { PastSearch, SearchStatsBody } from '#contract/search-history'
import type { SearchAnswer } from '#contract/search'
import type { SearchStore } from '#search/searches'
import { searchRecord } from '../../test/support/storage-samples.ts'
import { openTestApi, openTestSearch, type TestApi } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'

const START = Date.parse('2026-03-01T12:00:00.000Z')

interface Page {
  readonly searches: readonly PastSearch[]
  readonly total: number
}

async function openWithTool(): Promise<TestApi> {
  const t = await openTestApi()
  const tool = { name: 'weather', description: 'Temperature and rain of a city', endpoint: 'http://127.0.0.1:9/' }
  await t.send('POST', '/api/v1/tools', tool)
  return t
}

const search = async (t: TestApi, body: object) =>
  (await t.send('POST', '/api/v1/tools/search', body)).body as SearchAnswer
const list = async (t: TestApi, query = '') => (await t.send('GET', `/api/v1/searches${query}`)).body as Page
const stats = async (t: TestApi, query = '') =>
  (await t.send('GET', `/api/v1/searches/stats${query}`)).body as SearchStatsBody

/** The page, once so many searches have been written. */
async function written(t: TestApi, count: number): Promise<Page> {
  await until(`${count} searches in the history`, async () => (await list(t)).total >= count)
  return list(t)
}

test('R074 own queries are listed, the newest first, under the ids of their answers', async () => {
  await using t = await openWithTool()
  const first = await search(t, { query: 'Rain in Paris', search_type: 'keyword' })
  const byUrl = await t.send('GET', '/api/v1/tools/search?q=umbrella&namespace=none&max_results=1')
  const { searches } = await written(t, 2)
  const times = { started_at: expect.any(String), duration_ms: expect.any(Number) }
  const shared = { principal: 'local', surface: 'rest', cached: false, ...times }
  expect(searches).toEqual(
    [
      {
        ...shared,
        search_id: first.search_id,
        query: 'Rain in Paris',
        search_type: 'keyword',
        namespace: null,
        found: 1,
        total: 1,
      },
      {
        ...shared,
        search_id: (byUrl.body as SearchAnswer).search_id,
        query: 'umbrella',
        search_type: 'hybrid',
        namespace: 'none',
        found: 0,
        total: 0,
      },
    ].toSorted((one, other) => (one.search_id < other.search_id ? 1 : -1)),
  )
  for (const { started_at: at } of searches) expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000)
})

test('R074 another principal’s queries are not listed, whatever is asked for', async () => {
  await using t = await openTestApi()
  const own = searchRecord({ principal: 'local' })
  await t.storage.search.searches.append([
    own,
    searchRecord({ principal: 'ann' }),
    searchRecord({ principal: 'local2' }),
  ])
  for (const query of ['', '?search_type=hybrid', '?limit=1000', '?from=2000-01-01T00:00:00Z']) {
    const { searches, total } = await list(t, query)
    expect([searches.map(({ search_id: id }) => id), total], query).toEqual([[own.id], 1])
  }
  expect((await t.send('GET', '/api/v1/searches?principal=ann')).status).toBe(422)
})

test.each([
  ['search_type=keyword', 1],
  ['search_type=semantic', 0],
  ['from=2026-03-01T12:00:01Z', 2],
  ['to=2026-03-01T12:00:01Z', 1],
  ['from=2026-03-01T14:00:01%2B02:00&to=2026-03-01T12:00:02Z', 1],
  ['limit=1&offset=2', 3],
])('R074 %s leaves %i', async (query, total) => {
  await using t = await openTestApi()
  const seconds = [0, 1, 2].map((second) =>
    searchRecord({ principal: 'local', startedAt: START + second * 1000, mode: second === 0 ? 'keyword' : 'hybrid' }),
  )
  await t.storage.search.searches.append(seconds)
  expect(await list(t, `?${query}`)).toMatchObject({ total })
})

test.each(['searches?from=yesterday', 'searches?search_type=fuzzy', 'searches/stats?to=2026-03-01T12:00:00Z'])(
  'R160 %s is refused',
  async (address) => {
    await using t = await openTestApi()
    expect((await t.send('GET', `/api/v1/${address}`)).status).toBe(422)
  },
)

test('R073, R133 known queries are counted by type, with their average time; those that were repeated came from the cache', async () => {
  await using t = await openWithTool()
  for (const type of ['keyword', 'keyword', 'semantic', 'hybrid', 'hybrid', 'hybrid'])
    await search(t, { query: 'rain', search_type: type })
  const { searches } = await written(t, 6)
  const { total, by_type: byType, cache } = await stats(t)
  expect(total).toBe(6)
  expect(cache).toEqual({ hits: 3, misses: 3, hit_rate: 0.5 })
  expect([byType.keyword.count, byType.semantic.count, byType.hybrid.count]).toEqual([2, 1, 3])
  const times = searches.filter((each) => each.search_type === 'hybrid').map(({ duration_ms: ms }) => ms)
  expect(byType.hybrid.average_ms).toBeCloseTo(times.reduce((sum, ms) => sum + ms, 0) / 3, 9)
  expect(byType.hybrid.p50_ms).toBe(times.toSorted((a, b) => a - b)[1])
})

test('R073 the statistics are of everybody’s searches, and of a time where that is asked', async () => {
  await using t = await openTestApi()
  const none = { count: 0, cached: 0, average_ms: null, p50_ms: null, p95_ms: null, p99_ms: null }
  const empty = { by_type: { keyword: none, semantic: none, hybrid: none }, never_found: [], total: 0 }
  expect(await stats(t)).toEqual({ ...empty, cache: { hits: 0, misses: 0, hit_rate: null } })
  await t.storage.search.searches.append([
    searchRecord({ principal: 'ann', mode: 'keyword', durationMs: 10, startedAt: START }),
    searchRecord({ principal: 'bob', mode: 'keyword', durationMs: 20, startedAt: START + 1000, cached: true }),
    searchRecord({ principal: 'bob', mode: 'semantic', durationMs: 5, startedAt: START + 1000 }),
  ])
  const { by_type: byType, cache } = await stats(t)
  expect(byType.keyword).toEqual({ count: 2, cached: 1, average_ms: 15, p50_ms: 10, p95_ms: 20, p99_ms: 20 })
  expect(cache).toEqual({ hits: 1, misses: 2, hit_rate: 1 / 3 })
  expect(await stats(t, '?from=2026-03-01T12:00:01Z')).toMatchObject({
    total: 2,
    by_type: { keyword: { count: 1, average_ms: 20 }, semantic: { count: 1 } },
  })
})

test('R073 the report names what was looked for in vain, and nothing that was found', async () => {
  await using t = await openWithTool()
  for (const query of ['Book a flight', ' book  a FLIGHT', 'rain', 'pay taxes'])
    await search(t, { query, search_type: 'keyword' })
  await written(t, 4)
  expect((await stats(t)).never_found).toEqual([
    { query: 'book a flight', count: 2, last_searched_at: expect.any(String) },
    { query: 'pay taxes', count: 1, last_searched_at: expect.any(String) },
  ])
})

test('R074 a store that fails does not fail the search, and is in the log', async () => {
  await using t = await openWithTool()
  const broken = { append: () => Promise.reject(new Error('disk full')) } as Partial<SearchStore> as SearchStore
  const failing = await openTestSearch(t.deps.registry.catalog, { ...t.storage.search, searches: broken }, t.deps)
  await using other = await openTestApi({ search: failing, registry: t.deps.registry })
  expect((await search(other, { query: 'rain' })).results).toHaveLength(1)
  await failing[Symbol.asyncDispose]()
  expect(t.lines).toContainEqual({
    level: 'error',
    phrase: 'searches could not be written',
    fields: { error: 'disk full', rows: 1 },
  })
})
