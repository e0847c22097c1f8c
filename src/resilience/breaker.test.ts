import { describe, expect, test } from 'vitest'
import { createBreaker, type BreakerRules, type Verdict } from './breaker.ts'

const RULES: BreakerRules = { failures: 3, recoveryMs: 1000, successes: 2 }

/** A breaker around work that ends when told, and a clock that moves when told. */
function open(rules: Partial<BreakerRules> = {}) {
  let now = 1_000_000
  const changes: string[] = []
  const waits: number[] = []
  const breaker = createBreaker<string, string>({
    rules: { ...RULES, ...rules },
    now: () => now,
    judgeResult: (result) => (result === '5xx' ? 'failure' : 'success'),
    judgeError: (error) => ((error as Error).message === 'theirs' ? 'failure' : 'neither') satisfies Verdict,
    refuse(_input, waitMs) {
      waits.push(waitMs)
      return new Error('refused')
    },
    changed: (to, from) => void changes.push(`${from} → ${to}`),
  })
  const seen: PromiseWithResolvers<string>[] = []
  const begin = () => {
    const end = Promise.withResolvers<string>()
    const ran = breaker.run((input) => {
      expect(input).toBe('call')
      seen.push(end)
      return end.promise
    }, 'call')
    ran.catch(() => undefined)
    return { ran, end }
  }
  const fail = async (error = new Error('theirs')) => {
    const { ran, end } = begin()
    end.reject(error)
    await ran.catch(() => undefined)
  }
  const succeed = async (text = 'ok') => {
    const { ran, end } = begin()
    end.resolve(text)
    return ran
  }
  const pass = (ms: number) => void (now += ms)
  return { breaker, begin, fail, succeed, pass, changes, waits, seen }
}

async function opened(rules: Partial<BreakerRules> = {}) {
  const t = open(rules)
  for (let n = 0; n < (rules.failures ?? RULES.failures); n += 1) await t.fail()
  return t
}

describe('R084 work is decorated with a breaker', () => {
  test('and comes to what it comes to, result or error, while it is closed', async () => {
    const t = open()
    expect(await t.succeed()).toBe('ok')
    const { ran, end } = t.begin()
    end.reject(new Error('own words'))
    await expect(ran).rejects.toThrow('own words')
    await expect(
      t.breaker.run(() => {
        throw new Error('at once')
      }, 'call'),
    ).rejects.toThrow('at once')
    expect(t.breaker.status()).toMatchObject({ state: 'closed', calls: 3, refused: 0 })
  })
})

describe('R080, R081 a breaker opens', () => {
  test('after so many failures in a row and no sooner; then the work does not run', async () => {
    const t = open()
    await t.fail()
    await t.succeed('5xx')
    expect(t.breaker.status()).toMatchObject({ state: 'closed', failures: 2 })
    await t.fail()
    expect(t.breaker.status()).toMatchObject({ state: 'open', failures: 3, timesOpened: 1, probesAt: 1_001_000 })
    t.pass(400)
    await expect(t.begin().ran).rejects.toThrow('refused')
    expect([t.seen.length, t.waits, t.changes]).toEqual([3, [600], ['closed → open']])
  })

  test('not when successes come between, or the failures are more than a minute apart', async () => {
    const t = open()
    for (let n = 0; n < 4; n += 1) {
      await t.fail()
      await t.fail()
      await t.succeed()
    }
    for (let n = 0; n < 6; n += 1) {
      t.pass(60_001)
      await t.fail()
    }
    expect(t.breaker.status()).toMatchObject({ state: 'closed', failures: 1 })
  })

  test('not by what says nothing about the other side', async () => {
    const t = open()
    await t.fail()
    await t.fail()
    for (let n = 0; n < 9; n += 1) await t.fail(new Error('ours'))
    expect(t.breaker.status()).toMatchObject({ state: 'closed', failures: 2 })
  })

  test('not by one event that ends many calls: it is one failure, however it was wrapped', async () => {
    const t = open()
    const died = new Error('the process ended')
    const wrapped = Array.from({ length: 9 }, () => new Error('theirs', { cause: died }))
    for (const error of wrapped) await t.fail(error)
    expect(t.breaker.status()).toMatchObject({ state: 'closed', failures: 1 })
  })
})

describe('R080, R082 an open breaker', () => {
  test('lets exactly as many probes through as have to succeed, and closes when they did', async () => {
    const t = await opened()
    t.pass(1000)
    const tries = Array.from({ length: 10 }, t.begin)
    const refused = await Promise.allSettled(tries.slice(2).map(({ ran }) => ran))
    expect(refused.every(({ status }) => status === 'rejected')).toBe(true)
    expect(t.seen).toHaveLength(3 + 2)
    tries[0]!.end.resolve('ok')
    await tries[0]!.ran
    expect(t.breaker.status()).toMatchObject({ state: 'half-open', successes: 1, refused: 8 })
    await expect(t.begin().ran).rejects.toThrow('refused')
    tries[1]!.end.resolve('ok')
    await tries[1]!.ran
    expect(t.breaker.status()).toMatchObject({ state: 'closed', failures: 0, openedAt: undefined })
    expect(t.changes).toEqual(['closed → open', 'open → half-open', 'half-open → closed'])
    await t.succeed()
  })

  test('opens again with the first probe that fails, and rests as long as before', async () => {
    const t = await opened()
    t.pass(1000)
    await t.succeed()
    await t.fail()
    expect(t.breaker.status()).toMatchObject({ state: 'open', timesOpened: 2 })
    t.pass(999)
    await expect(t.begin().ran).rejects.toThrow('refused')
    t.pass(1)
    await t.succeed()
    await t.succeed()
    expect(t.breaker.status().state).toBe('closed')
  })

  test('gives the place of a probe that was cancelled to the next one', async () => {
    const t = await opened({ successes: 1 })
    t.pass(1000)
    await t.fail(new Error('ours'))
    expect(t.breaker.status().state).toBe('half-open')
    await t.succeed()
    expect(t.breaker.status().state).toBe('closed')
  })

  test('does not count what was begun before its state changed', async () => {
    const t = open()
    const early = [t.begin(), t.begin(), t.begin()]
    for (let n = 0; n < 3; n += 1) await t.fail()
    t.pass(1000)
    const probe = t.begin()
    early[0]!.end.reject(new Error('theirs'))
    await early[0]!.ran.catch(() => undefined)
    early[1]!.end.resolve('ok')
    await early[1]!.ran
    expect(t.breaker.status()).toMatchObject({ state: 'half-open', successes: 0 })
    probe.end.resolve('ok')
    await probe.ran
    await t.succeed()
    for (let n = 0; n < 2; n += 1) await t.fail()
    early[2]!.end.reject(new Error('theirs'))
    await early[2]!.ran.catch(() => undefined)
    expect(t.breaker.status()).toMatchObject({ state: 'closed', failures: 2 })
  })

  test('R083 is half-open for who looks at it when its time is over, and closed after a reset', async () => {
    const t = await opened()
    t.pass(1000)
    expect(t.breaker.status().state).toBe('half-open')
    t.breaker.reset()
    expect(t.breaker.status()).toMatchObject({ state: 'closed', failures: 0, probesAt: undefined, timesOpened: 1 })
    await t.succeed()
  })
})
