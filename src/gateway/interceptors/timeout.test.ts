import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { callResult, routedCall } from '../../../test/support/test-call.ts'
import type { CallResult, RoutedCall } from '../call.ts'
import { createTimeout } from './timeout.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A call with an idle limit of a second, and what its dispatch sees. */
function begin(caller: Partial<RoutedCall['caller']> = {}, signal?: AbortSignal) {
  const end = Promise.withResolvers<CallResult>()
  let seen: RoutedCall | undefined
  const parts = { caller: { progressTokenText: '1', ...caller }, ...(signal ? { signal } : {}) }
  const outcome = createTimeout(Date.now)(routedCall(parts), (call) => {
    seen = call
    call.signal.addEventListener('abort', () => end.reject(call.signal.reason))
    if (call.signal.aborted) end.reject(call.signal.reason)
    return end.promise
  })
  outcome.catch(() => undefined)
  return { outcome, end, call: seen! }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const LATE = expect.objectContaining({ code: 'timeout', message: expect.stringContaining('files') })

describe('R252 the time of a call', () => {
  test('ends a silent call after its idle limit and no sooner', async () => {
    const { outcome, call } = begin()
    await pass(999)
    expect(call.signal.aborted).toBe(false)
    await pass(1)
    await expect(outcome).rejects.toEqual(LATE)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('leaves nothing behind when the call ends by itself', async () => {
    const { outcome, end } = begin()
    end.resolve(callResult())
    await outcome
    expect(vi.getTimerCount()).toBe(0)
  })

  test('begins anew with each sign of life, up to the hard limit of twenty times as long', async () => {
    const heard: string[] = []
    const { outcome, call } = begin({ notify: (method) => void heard.push(method) })
    for (let sign = 0; sign < 24; sign += 1) {
      await pass(800)
      expect(call.signal.aborted).toBe(false)
      call.caller.notify?.('notifications/progress', '{}')
    }
    expect(heard).toHaveLength(24)
    for (let sign = 0; sign < 2; sign += 1) {
      await pass(800)
      call.caller.notify?.('notifications/progress', '{}')
    }
    await expect(outcome).rejects.toEqual(LATE)
  })

  test('stands still while the client is asked something, and runs on after the answer', async () => {
    const answer = Promise.withResolvers<{ resultText: string }>()
    const { outcome, call } = begin({ ask: () => answer.promise })
    await pass(500)
    const asked = call.caller.ask?.({ method: 'elicitation/create', paramsText: '{}', signal: call.signal })
    await pass(5 * 60_000)
    expect(call.signal.aborted).toBe(false)
    answer.resolve({ resultText: '{}' })
    await asked
    await pass(900)
    expect(call.signal.aborted).toBe(false)
    await pass(1100)
    await expect(outcome).rejects.toEqual(LATE)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends a call whose client never answers', async () => {
    const { outcome, call } = begin({ ask: () => new Promise(() => {}) })
    void call.caller.ask?.({ method: 'roots/list', paramsText: '{}', signal: call.signal })
    await pass(9 * 60_000)
    expect(call.signal.aborted).toBe(false)
    await pass(2 * 60_000)
    await expect(outcome).rejects.toEqual(LATE)
  })

  test('passes on the reason of a client that gives up, before or during the call', async () => {
    const controller = new AbortController()
    const { outcome } = begin({}, controller.signal)
    controller.abort(new Error('the client left'))
    await expect(outcome).rejects.toThrow('the client left')
    await expect(begin({}, controller.signal).outcome).rejects.toThrow('the client left')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('counts progress alone as a sign of life', async () => {
    const { outcome, call } = begin({ notify: () => {} })
    await pass(800)
    call.caller.notify?.('notifications/message', '{}')
    await pass(200)
    await expect(outcome).rejects.toEqual(LATE)
  })

  test('gives a caller no function that it did not have', () => {
    const { call } = begin()
    expect('ask' in call.caller || 'notify' in call.caller).toBe(false)
  })
})
