import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Cancellation } from './cancellation.ts'
import { pause } from './pause.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('R005 a wait ends with its signal, says so, and leaves no timer', async () => {
  const signal = new Cancellation()
  const waiting = pause(1000, signal)
  signal.abort(new Error('gone'))
  expect(await waiting).toBe(false)
  expect(await pause(1000, signal)).toBe(false)
  const other = pause(1000, new Cancellation())
  await vi.advanceTimersByTimeAsync(1000)
  expect(await other).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})
