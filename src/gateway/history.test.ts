import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError, toAppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { callResult, testCall } from '../../test/support/test-call.ts'
import type { Execution, ExecutionStore } from './executions.ts'
import { createHistory } from './history.ts'

/** A store that does what a test wants and keeps what it took. */
function openStore() {
  const kept: Execution[] = []
  const batches: number[] = []
  const state: { failure: Error | undefined; hold: Promise<void> | undefined } = { failure: undefined, hold: undefined }
  const store = {
    async append(rows: readonly Execution[]) {
      await state.hold
      if (state.failure) throw state.failure
      batches.push(rows.length)
      kept.push(...rows)
    },
  } as Partial<ExecutionStore> as ExecutionStore
  const errors: string[] = []
  const log: Logger = { debug() {}, info() {}, warn() {}, error: (_fields, phrase) => void errors.push(phrase) }
  const history = createHistory({ store, log, now: Date.now })
  return { history, kept, batches, state, errors }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('R252 the history', () => {
  test('writes rows together, a moment behind the calls', async () => {
    const t = openStore()
    for (let call = 0; call < 20; call += 1) expect(t.history.ended(testCall(), callResult())).toBeUndefined()
    expect(t.batches).toEqual([])
    await vi.advanceTimersByTimeAsync(100)
    expect(t.batches).toEqual([20])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('writes many rows at once and never more than its batch', async () => {
    const t = openStore()
    for (let call = 0; call < 1234; call += 1) void t.history.ended(testCall(), callResult())
    await t.history.flush()
    expect(t.kept).toHaveLength(1234)
    expect(Math.max(...t.batches)).toBeLessThanOrEqual(1000)
  })

  test('makes callers wait when the writer cannot follow, and loses no row', async () => {
    const t = openStore()
    const hold = Promise.withResolvers<void>()
    t.state.hold = hold.promise
    for (let call = 1; call < 10_000; call += 1) expect(t.history.ended(testCall(), callResult())).toBeUndefined()
    let isFree = false
    const full = t.history.ended(testCall({ name: 'last' }), new AppError('timeout', 'x'))
    const waiting = full?.then(() => (isFree = true))
    await vi.advanceTimersByTimeAsync(5000)
    expect([full === undefined, isFree]).toEqual([false, false])
    hold.resolve()
    await waiting
    expect([t.kept.length, t.kept.at(-1)?.name]).toEqual([10_000, 'last'])
  })

  test('keeps rows through a failure of the store, in order and once, and says so in the log', async () => {
    const t = openStore()
    t.state.failure = new Error('disk full')
    const ids = Array.from({ length: 700 }, () => {
      const call = testCall()
      void t.history.ended(call, callResult())
      return call.id
    })
    await vi.advanceTimersByTimeAsync(3500)
    expect([t.kept.length, t.errors.length > 2]).toEqual([0, true])
    t.state.failure = undefined
    await vi.advanceTimersByTimeAsync(1000)
    expect(t.kept.map(({ id }) => id)).toEqual(ids)
  })

  test('writes everything when it ends, also what came in the very moment a write ended', async () => {
    const t = openStore()
    void t.history.ended(testCall(), callResult())
    const first = t.history.flush()
    const late = first.then(() => t.history.ended(testCall({ name: 'late' }), callResult()))
    await Promise.all([first, late])
    await t.history[Symbol.asyncDispose]()
    expect(t.kept.map(({ name }) => name)).toEqual(['files__read', 'late'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('does not hold up the end of the gateway when the store is broken', async () => {
    const t = openStore()
    t.state.failure = new Error('gone')
    void t.history.ended(testCall(), callResult())
    await t.history[Symbol.asyncDispose]()
    expect(t.errors).toHaveLength(1)
  })

  test('says what became of a call: success, the tool’s own failure, or an error with its code', async () => {
    const t = openStore()
    void t.history.ended(testCall(), callResult('{"content":[]}'))
    void t.history.ended(testCall(), callResult('{"isError":true}'))
    void t.history.ended(testCall(), new AppError('timeout', 'late'))
    void t.history.ended(testCall(), toAppError(new TypeError(`secret ${'x'.repeat(5000)}`)))
    await t.history.flush()
    expect(t.kept.map(({ outcome, isError, errorCode }) => [outcome, isError, errorCode])).toEqual([
      ['success', false, undefined],
      ['error', true, undefined],
      ['error', false, 'timeout'],
      ['error', false, 'internal_error'],
    ])
    expect(t.kept.at(-1)?.errorMessage).not.toContain('secret')
  })
})
