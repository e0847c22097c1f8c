import { expect, test } from 'vitest'
import { interval, scoresOf } from './metrics.ts'

test('a ranking is worth what its first hits are', () => {
  expect(scoresOf([0])).toEqual({ r1: 1, r3: 1, r5: 1, r10: 1, mrr10: 1, ndcg5: 1, ndcg10: 1, c10: 1 })
  expect(scoresOf([4, Infinity])).toMatchObject({ r3: 0, r5: 0.5, mrr10: 0.2, c10: 0 })
  expect(scoresOf([1, 0]).ndcg5).toBeCloseTo(1)
})

test('an interval holds its mean, and is a point where nothing differs', () => {
  expect(interval([0.5, 0.5])).toEqual([0.5, 0.5])
  const [low, high] = interval([0, 1, 0, 1, 0, 1, 0, 1])
  expect(low).toBeLessThan(0.5)
  expect(high).toBeGreaterThan(0.5)
})
