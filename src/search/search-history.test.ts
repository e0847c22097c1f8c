import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LogFields } from '#kernel/logger'
import { searchRecord } from '../../test/support/storage-samples.ts'
import { createSearchHistory } from './search-history.ts'
import type { SearchRecord } from './searches.ts'

/** A store that does what a test wants and keeps what it took. */
function openHistory() {
  const kept: SearchRecord[] = []
  const errors: [string, LogFields][] = []
  const state: { failure: Error | undefined } = { failure: undefined }
  const store = {
    async append(searches: readonly SearchRecord[]) {
      if (state.failure) throw state.failure
      kept.push(...searches)
    },
  }
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: LogFields, phrase: string) => void errors.push([phrase, fields]),
  }
  return { history: createSearchHistory({ store, log }), kept, errors, state }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('R074 a search does not wait for its row, which is written a moment later', async () => {
  const t = openHistory()
  const search = searchRecord()
  expect(t.history.record(search)).toBeUndefined()
  expect(t.kept).toEqual([])
  await vi.advanceTimersByTimeAsync(100)
  expect(t.kept).toEqual([search])
})

test('R074 a store that fails is in the log, and loses nothing once it is back', async () => {
  const t = openHistory()
  t.state.failure = new Error('disk full')
  expect([t.history.record(searchRecord()), t.history.record(searchRecord())]).toEqual([undefined, undefined])
  await vi.advanceTimersByTimeAsync(100)
  expect(t.errors).toEqual([['searches could not be written', { error: 'disk full', rows: 2 }]])
  t.state.failure = undefined
  await vi.advanceTimersByTimeAsync(1_000)
  expect(t.kept).toHaveLength(2)
})

test('searches wait when two thousand rows do', async () => {
  const t = openHistory()
  t.state.failure = new Error('disk full')
  for (let search = 1; search < 2_000; search += 1) expect(t.history.record(searchRecord())).toBeUndefined()
  const full = t.history.record(searchRecord())
  expect(full).toBeInstanceOf(Promise)
  t.state.failure = undefined
  await vi.advanceTimersByTimeAsync(1_000)
  await full
  expect(t.kept).toHaveLength(2_000)
})

test('R074 the end of the gateway writes what is left', async () => {
  const t = openHistory()
  void t.history.record(searchRecord())
  await t.history[Symbol.asyncDispose]()
  expect([t.kept.length, vi.getTimerCount()]).toEqual([1, 0])
})
