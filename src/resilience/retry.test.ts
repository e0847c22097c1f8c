import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { backoffMs, createRetryBudget } from './retry.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

/** How many retries are there now. */
function taken(budget: { take(): boolean }): number {
  let count = 0
  while (count < 1000 && budget.take()) count += 1
  return count
}

test('R082 a budget gives ten retries, and then a tenth of the calls', () => {
  const budget = createRetryBudget(Date.now)
  expect(taken(budget)).toBe(10)
  for (let call = 0; call < 55; call += 1) budget.earn()
  expect(taken(budget)).toBe(5)
  for (let call = 0; call < 10_000; call += 1) budget.earn()
  expect(taken(budget)).toBe(10)
})

test('R082 a budget fills by itself where there are few calls, and never beyond ten', () => {
  const budget = createRetryBudget(Date.now)
  taken(budget)
  vi.advanceTimersByTime(4000)
  expect(taken(budget)).toBe(2)
  vi.advanceTimersByTime(3_600_000)
  expect(taken(budget)).toBe(10)
})

test('R082 waits grow, differ from each other, and have a limit', () => {
  expect([0, 1].map((random) => [1, 2, 3, 20].map((tries) => backoffMs(tries, () => random)))).toEqual([
    [100, 200, 400, 2500],
    [200, 400, 800, 5000],
  ])
})
