import { expect, test, vi } from 'vitest'
import { until } from '../../test/support/until.ts'
import { collectStartGarbage } from './start-garbage.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

/** Keeps the processor busy for so long, with turns for others between. */
async function work(ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) {
    for (const turn = performance.now(); performance.now() - turn < 20;);
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('the garbage of the start is collected once, and not while there is work to do', async () => {
  const collect = vi.fn<() => void>()
  using _ = collectStartGarbage({ log, collect: collect as unknown as NodeJS.GCFunction, lookMs: 300 })
  await work(1500)
  expect(collect).not.toHaveBeenCalled()
  await until('collected', () => collect.mock.calls.length > 0)
  expect(collect).toHaveBeenCalledWith({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  // When another has had its turn, so would this one have had.
  const next = vi.fn<() => void>()
  using _next = collectStartGarbage({ log, collect: next as unknown as NodeJS.GCFunction, lookMs: 600 })
  await until('another collected', () => next.mock.calls.length > 0)
  expect(collect).toHaveBeenCalledTimes(1)
})
