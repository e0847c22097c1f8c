import { afterEach, expect, test, vi } from 'vitest'
import { person } from '../../test/support/person.ts'
import { recordedSearch } from './recorded-search.ts'
import type { SearchRecord } from './searches.ts'
import type { FoundTool, ToolAnswer, ToolQuery } from './tool-search.ts'

const QUERY: ToolQuery = {
  text: 'send mail',
  mode: 'keyword',
  namespace: 'dev',
  limit: 10,
  threshold: 0,
  principal: person('ann'),
  surface: 'mcp',
}

const EMPTY: ToolAnswer = {
  found: [],
  total: 0,
  weights: { keyword: 1, semantic: 0 },
  parts: [],
  nearest: [],
  cached: false,
}

/** Answers what a test wants; the history waits for `hold`. */
function openSearch(answer: Promise<ToolAnswer>, hold?: Promise<void>) {
  const kept: SearchRecord[] = []
  const record = (search: SearchRecord): Promise<void> | undefined => {
    kept.push(search)
    return hold
  }
  return { kept, ...recordedSearch({ search: () => answer, history: { record }, now: () => 1_800_000_000_000 }) }
}

afterEach(() => void vi.useRealTimers())

test('R074 what was asked, by whom and where, and what came of it is kept under the id of the answer', async () => {
  const found = [{}, {}] as FoundTool[]
  const t = openSearch(Promise.resolve({ ...EMPTY, found, total: 5, cached: true }))
  const { id, ...answer } = await t.search(QUERY)
  expect(answer).toMatchObject({ found, total: 5, cached: true })
  expect(t.kept).toEqual([
    {
      id,
      principal: 'ann',
      query: 'send mail',
      mode: 'keyword',
      namespace: 'dev',
      surface: 'mcp',
      found: 2,
      total: 5,
      cached: true,
      startedAt: 1_800_000_000_000,
      durationMs: expect.any(Number),
    },
  ])
})

test('R073 the time that is kept is that of the search', async () => {
  vi.useFakeTimers()
  const { promise, resolve } = Promise.withResolvers<ToolAnswer>()
  const t = openSearch(promise)
  const answer = t.search(QUERY)
  setTimeout(() => resolve(EMPTY), 30)
  await vi.advanceTimersByTimeAsync(30)
  await answer
  expect(t.kept).toMatchObject([{ durationMs: 30, cached: false }])
})

test('a search that failed is not kept as one that found nothing', async () => {
  const t = openSearch(Promise.reject(new Error('no table')))
  await expect(t.search(QUERY)).rejects.toThrow('no table')
  expect(t.kept).toEqual([])
})

test('a history that has fallen behind slows searches down', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const t = openSearch(Promise.resolve(EMPTY), promise)
  let isAnswered = false
  const answer = t.search(QUERY).then(() => (isAnswered = true))
  await new Promise(setImmediate)
  expect([t.kept.length, isAnswered]).toEqual([1, false])
  resolve()
  await answer
})

test('of a query that is a book the history keeps ten thousand characters', async () => {
  const t = openSearch(Promise.resolve(EMPTY))
  await t.search({ ...QUERY, text: 'x'.repeat(1_000_000) })
  expect(t.kept[0]?.query).toHaveLength(10_000)
})
