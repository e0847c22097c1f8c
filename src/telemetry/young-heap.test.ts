import { expect, test, vi } from 'vitest'
import { growYoungHeapWhenBusy } from './young-heap.ts'

/** Makes garbage, and lets others have their turn, until so much time is over or `isOver`. */
async function makeGarbage(ms: number, isOver: () => boolean): Promise<void> {
  const until = performance.now() + ms
  let kept: object[] = []
  while (performance.now() < until && !isOver()) {
    for (let n = 0; n < 100_000; n += 1) kept.push({ n: [n] })
    if (kept.length > 200_000) kept = []
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('the young heap may grow once when the collector runs often, and not before', async () => {
  const early = vi.fn<() => void>()
  const grow = vi.fn<() => void>()
  using _calm = growYoungHeapWhenBusy(1_000_000, early)
  using _busy = growYoungHeapWhenBusy(1, grow)
  await makeGarbage(20_000, () => grow.mock.calls.length > 0)
  expect(grow).toHaveBeenCalledTimes(1)
  await makeGarbage(1500, () => false)
  expect(grow).toHaveBeenCalledTimes(1)
  expect(early).not.toHaveBeenCalled()
})
