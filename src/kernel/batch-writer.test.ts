import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBatchWriter } from './batch-writer.ts'

/** Keeps what it is given, unless a test makes it fail. */
function openWriter() {
  const kept: number[] = []
  const failures: number[] = []
  const state: { failure: Error | undefined } = { failure: undefined }
  const writer = createBatchWriter<number>({
    async append(rows) {
      await Promise.resolve()
      if (state.failure) throw state.failure
      kept.push(...rows)
    },
    failed: (_error, waiting) => void failures.push(waiting),
  })
  return { writer, kept, failures, state }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('who adds a row waits for nothing, and the row is written a moment later', async () => {
  const t = openWriter()
  expect(t.writer.add(1)).toBeUndefined()
  expect(t.kept).toEqual([])
  await vi.advanceTimersByTimeAsync(100)
  expect(t.kept).toEqual([1])
})

test('rows that come while others are written keep their order, and each is written once', async () => {
  const t = openWriter()
  const numbers = Array.from({ length: 1_500 }, (_, index) => index)
  for (const number of numbers) {
    void t.writer.add(number)
    if (number % 100 === 0) await Promise.resolve()
  }
  await t.writer.flush()
  expect(t.kept).toEqual(numbers)
})

test('each failure is told with the number of rows that wait, and the rows are written when the store is back', async () => {
  const t = openWriter()
  t.state.failure = new Error('disk full')
  for (const row of [1, 2, 3]) void t.writer.add(row)
  await vi.advanceTimersByTimeAsync(1_150)
  expect(t.failures).toEqual([3, 3])
  t.state.failure = undefined
  await vi.advanceTimersByTimeAsync(1_000)
  expect([t.kept, vi.getTimerCount()]).toEqual([[1, 2, 3], 0])
})

test('nothing to write is nothing to wait for, also at the end', async () => {
  const t = openWriter()
  await t.writer.flush()
  await t.writer[Symbol.asyncDispose]()
  expect([t.kept, t.failures, vi.getTimerCount()]).toEqual([[], [], 0])
})
