import { expect, test } from 'vitest'
import { retryAfterOf } from './retry-after.ts'

const NOON = Date.parse('2026-11-23T12:00:00Z')

test.each<[number, string | undefined, number | undefined]>([
  [429, '7', 7],
  [503, '0', 0],
  [429, 'Mon, 23 Nov 2026 12:00:30 GMT', 30],
  [429, 'Mon, 23 Nov 2026 11:00:00 GMT', 0],
  [429, undefined, undefined],
  [429, '-1', undefined],
  [429, '1.5', undefined],
  [429, '99999999999', undefined],
  [429, 'soon', undefined],
  [200, '7', undefined],
  [500, '7', undefined],
])('HTTP %s with Retry-After %s asks to wait %s seconds', (status, text, seconds) => {
  expect(retryAfterOf(status, { 'retry-after': text }, NOON)).toBe(seconds)
})
