import { constants, PerformanceObserver } from 'node:perf_hooks'
import { expect, test, vi } from 'vitest'
import { collectInSteps } from './collect-in-steps.ts'

test('a collection of everything begins, and takes no memory', async () => {
  const kinds = new Set<number>()
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) kinds.add((entry as unknown as { detail: { kind: number } }).detail.kind)
  })
  observer.observe({ entryTypes: ['gc'] })
  const before = process.memoryUsage.rss()
  collectInSteps()
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20)
  await vi.waitFor(() => expect([...kinds]).toContain(constants.NODE_PERFORMANCE_GC_MAJOR), { timeout: 4000 })
  observer.disconnect()
})
