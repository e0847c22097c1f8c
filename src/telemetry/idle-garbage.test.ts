import { expect, test, vi } from 'vitest'
import { until } from '../../test/support/until.ts'
import { collectIdleGarbage } from './idle-garbage.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

/** Keeps the processor busy for so long, with turns for others between. */
async function work(ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) {
    for (const turn = performance.now(); performance.now() - turn < 20;);
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const asked = { type: 'major', execution: 'sync', flavor: 'last-resort' }

test('garbage is collected when there is nothing to do, once after each stretch of work, and not meanwhile', async () => {
  const spy = vi.fn<() => void>()
  const collect = spy as unknown as NodeJS.GCFunction
  using _ = collectIdleGarbage({ log, collect, lookMs: 300, workMs: 1000, restLooks: 3 })
  await work(1500)
  expect(spy).not.toHaveBeenCalled()
  await until('collected', () => spy.mock.calls.length > 0)
  expect(spy).toHaveBeenCalledWith(asked)
  // When another has had its turn, so would this one have had.
  const next = vi.fn<() => void>()
  using _next = collectIdleGarbage({ log, collect: next as unknown as NodeJS.GCFunction, lookMs: 600 })
  await until('another collected', () => next.mock.calls.length > 0)
  expect(spy).toHaveBeenCalledTimes(1)
  await work(1500)
  await until('collected again', () => spy.mock.calls.length > 1)
})

test('what lives in a large heap is not looked through in one go', async () => {
  const spy = vi.fn<() => void>()
  const told: unknown[] = []
  const garbage = { collect: spy as unknown as NodeJS.GCFunction, lookMs: 300, heapBytesMax: 1 }
  using _ = collectIdleGarbage({ log: { ...log, debug: (facts) => void told.push(facts) }, ...garbage })
  await until('told', () => told.length > 0)
  expect(spy).not.toHaveBeenCalled()
})
