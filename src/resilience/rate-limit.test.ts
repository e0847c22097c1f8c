import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRateLimiter, type SharedCounts, type Verdict } from './rate-limit.ts'

const MINUTE = 60_000
const NOON = 1_800_000_000_000

/** Time that a test moves. */
function clock() {
  let at = NOON
  return { now: () => at, pass: (ms: number) => void (at += ms) }
}

describe('a rate limit', () => {
  test('lets exactly so many through in a window, each key for itself, and all of them again in the next', () => {
    const { now, pass } = clock()
    const limiter = createRateLimiter({ limit: 3, windowMs: MINUTE }, { name: 'calls', now })
    const take = (key: string) => limiter.take(key) as Verdict
    expect([1, 2, 3, 4, 5].map(() => take('ann').isAllowed)).toEqual([true, true, true, false, false])
    expect(take('bob')).toEqual({ isAllowed: true, limit: 3, remaining: 2, resetAt: NOON + MINUTE })
    pass(MINUTE - 1)
    expect(take('ann')).toEqual({ isAllowed: false, limit: 3, remaining: 0, resetAt: NOON + MINUTE })
    pass(1)
    expect(take('ann')).toEqual({ isAllowed: true, limit: 3, remaining: 2, resetAt: NOON + 2 * MINUTE })
  })
})

/** Counts as the shared store does, and answers after a turn of the event loop. */
function playedCounts() {
  const used = new Map<string, number>()
  let asked = 0
  let isUp = true
  const counts: SharedCounts = {
    get isUp() {
      return isUp
    },
    async take(key, wanted, { limit, windowMs }) {
      asked += 1
      await new Promise((resolve) => setImmediate(resolve))
      if (!isUp) throw new Error('gone')
      const before = used.get(key) ?? 0
      const granted = Math.max(0, Math.min(wanted, limit - before))
      used.set(key, before + granted)
      return { granted, used: before + granted, endsInMs: windowMs }
    },
  }
  return { counts, asked: () => asked, die: () => void (isUp = false) }
}

describe('a rate limit that several gateways share', () => {
  /** What one gateway has taken in advance must neither be given twice nor be missing while somebody asks for it. */
  test('lets exactly so many through, wherever they come in and however many at once', async () => {
    const burst = fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 60 }))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), fc.array(burst, { maxLength: 40 }), async (limit, bursts) => {
        const { counts } = playedCounts()
        const open = () =>
          createRateLimiter({ limit, windowMs: MINUTE }, { name: 'n', shared: counts, now: () => NOON })
        const gateways = [open(), open(), open()]
        let allowed = 0
        const ask = async (gateway: number, times: number) => {
          const verdicts = await Promise.all(Array.from({ length: times }, async () => gateways[gateway]!.take('ann')))
          allowed += verdicts.filter(({ isAllowed }) => isAllowed).length
        }
        await Promise.all(bursts.map(([gateway, times]) => ask(gateway, times)))
        const wanted = bursts.reduce((sum, [, times]) => sum + times, 0)
        expect(allowed).toBeLessThanOrEqual(Math.min(limit, wanted))
        // A gateway that nobody asks keeps what it took in advance: at most a hundredth.
        if (wanted >= limit) expect(allowed).toBeGreaterThanOrEqual(limit - 2 * Math.floor(limit / 100))
        for (const gateway of [0, 1, 2]) await ask(gateway, limit)
        expect(allowed).toBe(limit)
      }),
      { numRuns: 60 },
    )
  })

  test('is asked for once in a while, not for every call, and not again when nothing is left', async () => {
    const played = playedCounts()
    const limiter = createRateLimiter(
      { limit: 10_000, windowMs: MINUTE },
      { name: 'calls', shared: played.counts, now: () => NOON },
    )
    for (let call = 0; call < 5_000; call += 1) await limiter.take('ann')
    expect(played.asked()).toBeLessThan(100)
    for (let call = 0; call < 5_000; call += 1) await limiter.take('ann')
    const before = played.asked()
    expect(limiter.take('ann')).toMatchObject({ isAllowed: false, remaining: 0 })
    expect(played.asked()).toBe(before)
  })

  /** F13: what was let through before still counts, and those who wait for an answer get one. */
  test('goes on alone when it cannot be asked, from what it knew', async () => {
    const played = playedCounts()
    const limiter = createRateLimiter(
      { limit: 10, windowMs: MINUTE },
      { name: 'calls', shared: played.counts, now: () => NOON },
    )
    for (let call = 0; call < 4; call += 1) await limiter.take('ann')
    const waiting = [limiter.take('ann'), limiter.take('ann')].map(async (verdict) => verdict)
    played.die()
    const verdicts = await Promise.all(waiting)
    for (let call = 0; call < 10; call += 1) verdicts.push(await limiter.take('ann'))
    expect(verdicts.filter(({ isAllowed }) => isAllowed)).toHaveLength(6)
  })
})
