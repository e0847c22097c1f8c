import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Cancellation } from '#kernel/cancellation'
import { AppError, UpstreamRpcError } from '#kernel/errors'
import { callResult, routedCall } from '../../../test/support/test-call.ts'
import type { CallResult, RoutedCall, Target } from '../call.ts'
import { createRetry } from './retry.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const unsent = new AppError('upstream_unavailable', 'nobody there', { details: { dispatched: false } })
const lost = new AppError('upstream_unavailable', 'gone in the middle', { details: { dispatched: true } })
const busy = (details: object) =>
  new AppError('upstream_unavailable', 'busy', { details: { status: 429, dispatched: false, ...details } })
const TOOL = {
  kind: 'mcp',
  exposedName: 'x',
  definition: {},
  readOnly: false,
  idempotent: false,
  hasOwnBreaker: false,
} as const
const READ_ONLY: Partial<Target> = { tool: { ...TOOL, readOnly: true } }
const PLAIN: Partial<Target> = { tool: TOOL }

type Answer = CallResult | Error

/** A call that is answered so, one answer a try; what the last try saw. */
async function run(answers: readonly Answer[], target: Partial<Target>, parts: Partial<RoutedCall> = {}) {
  const retry = createRetry({ attempts: 3, now: Date.now })
  let tries = 0
  let seen: RoutedCall | undefined
  const call = { ...routedCall({}, target), ...parts }
  const outcome = retry(call, (tried) => {
    seen = tried
    const answer = answers[tries] ?? answers.at(-1)
    tries += 1
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer!)
  }).then(
    ({ text }) => text,
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  )
  await vi.runAllTimersAsync()
  return { outcome: await outcome, tries, seen }
}

describe('R082 a call is tried again', () => {
  test.each<[string, Partial<Target>, Answer, string]>([
    ['of which nothing was sent', PLAIN, unsent, '{"ok":1}'],
    ['that only reads', READ_ONLY, lost, '{"ok":1}'],
    ['that may be made twice', { tool: { ...TOOL, idempotent: true } }, lost, '{"ok":1}'],
    ['of a plain API that answers 5xx and only reads', READ_ONLY, { ...callResult(), status: 503 }, '{"ok":1}'],
  ])('%s', async (_what, target, failure, expected) => {
    expect(await run([failure, failure, callResult('{"ok":1}')], target)).toMatchObject({ outcome: expected, tries: 3 })
  })

  test('no more often than the setting, or its own rule, says; the last answer stands', async () => {
    expect(await run([unsent], PLAIN)).toMatchObject({ outcome: 'upstream_unavailable', tries: 3 })
    expect(await run([unsent], { ...PLAIN, attempts: 1 })).toMatchObject({ tries: 1 })
    expect(await run([unsent], { ...PLAIN, attempts: 5, timeoutMs: 60_000 })).toMatchObject({ tries: 5 })
  })

  test('only while its time lasts, and each try has what is left of it', async () => {
    expect(await run([unsent], { ...PLAIN, attempts: 9, timeoutMs: 50 })).toMatchObject({ tries: 1 })
    const { seen, tries } = await run([unsent], { ...PLAIN, attempts: 9, timeoutMs: 1000 })
    expect(tries).toBeGreaterThan(2)
    expect(tries).toBeLessThan(6)
    expect(seen?.target.timeoutMs).toBeLessThan(700)
  })
})

describe('F8 a server that asks to wait', () => {
  const long = { timeoutMs: 60_000 }

  test.each<[string, Partial<Target>, Answer]>([
    ['with 429, whatever the call does', PLAIN, busy({ retry_after: 7 })],
    ['with 429 of a plain API', PLAIN, { ...callResult(), status: 429, retryAfter: 7 }],
    ['with 503, of a call that only reads', READ_ONLY, { ...callResult(), status: 503, retryAfter: 7 }],
  ])('%s, is asked again after that time and not before', async (_what, target, failure) => {
    const from = Date.now()
    const { tries, outcome, seen } = await run([failure, callResult('{"ok":1}')], { ...target, ...long })
    expect([tries, outcome]).toEqual([2, '{"ok":1}'])
    const left = seen?.target.timeoutMs ?? 0
    expect(left).toBeLessThanOrEqual(53_000)
    expect(left).toBeGreaterThan(52_000)
    expect(Date.now() - from).toBeGreaterThanOrEqual(7000)
  })

  test('longer than the call has time is not asked again', async () => {
    const from = Date.now()
    expect(await run([busy({ retry_after: 61 })], { ...PLAIN, ...long })).toMatchObject({ tries: 1 })
    expect(Date.now() - from).toBe(0)
  })

  test('and does not say how long is not asked again', async () => {
    expect(await run([busy({})], { ...PLAIN, ...long })).toMatchObject({ tries: 1 })
    expect(await run([{ ...callResult(), status: 429 }], { ...PLAIN, ...long })).toMatchObject({ tries: 1 })
  })
})

describe('R082 a call is not tried again', () => {
  test.each<[string, Partial<Target>, Answer]>([
    ['that may have arrived and does something', PLAIN, lost],
    [
      'that its server answered with an error',
      READ_ONLY,
      new UpstreamRpcError('files', { code: 1, message: 'no', text: '{}' }),
    ],
    ['that took too long', READ_ONLY, new AppError('timeout', 'late')],
    [
      'that was refused with 4xx',
      READ_ONLY,
      new AppError('upstream_unavailable', 'no', { details: { status: 429, dispatched: false } }),
    ],
    ['that found the breaker open', READ_ONLY, new AppError('circuit_breaker_open', 'rests')],
    ['that a rule refuses', READ_ONLY, new AppError('policy_violation', 'no')],
    ['of a plain API that does something and answers 5xx', PLAIN, { ...callResult(), status: 503 }],
    ['of a plain API that answers 4xx', READ_ONLY, { ...callResult(), status: 404 }],
  ])('%s', async (_what, target, failure) => {
    expect(await run([failure], target)).toMatchObject({ tries: 1 })
  })

  test('that began a task, unless nothing was sent', async () => {
    const task = { params: { name: 'x', task: {} } }
    expect(await run([lost], READ_ONLY, task)).toMatchObject({ tries: 1 })
    expect(await run([unsent], READ_ONLY, task)).toMatchObject({ tries: 3 })
  })

  test('whose caller has gone, not even while it waits', async () => {
    const signal = new Cancellation()
    setTimeout(() => signal.abort(new AppError('cancelled', 'gone')), 10)
    expect(await run([unsent], PLAIN, { signal })).toMatchObject({ outcome: 'cancelled', tries: 1 })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('when the breaker opened meanwhile: the first failure says more', async () => {
    const open = new AppError('circuit_breaker_open', 'rests')
    expect(await run([unsent, open], PLAIN)).toMatchObject({ outcome: 'upstream_unavailable', tries: 2 })
  })

  test('when its upstream has used up its retries', async () => {
    const retry = createRetry({ attempts: 2, now: () => 0 })
    let tries = 0
    const calls = Array.from({ length: 40 }, () =>
      retry(routedCall({}, PLAIN), () => {
        tries += 1
        return Promise.reject(unsent)
      }).catch(() => undefined),
    )
    await vi.runAllTimersAsync()
    await Promise.all(calls)
    expect(tries).toBeGreaterThanOrEqual(50)
    expect(tries).toBeLessThanOrEqual(54)
  })
})
