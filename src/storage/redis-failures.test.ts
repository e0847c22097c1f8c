import { describe, expect, test } from 'vitest'
import { createLockout, lockoutRule } from '#identity/lockout'
import type { Logger } from '#kernel/logger'
import { openRedis } from './open-redis.ts'
import { createSharedFailures } from './redis-failures.ts'
import { hasRedis, testRedis } from '../../test/support/redis.ts'
import { until } from '../../test/support/until.ts'

const LOG: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const unique = (): string => `test ${process.pid} ${Date.now()} ${Math.random()}`

describe.skipIf(!hasRedis())('failed logins that are counted in Redis', () => {
  test('A13 lock out at once on all connections, count no attempt of who has to wait, and are forgiven on all', async () => {
    await using server = await testRedis()
    await using one = await openRedis(server.url, LOG)
    await using two = await openRedis(server.url, LOG)
    const rule = { ...lockoutRule(5), delayMsFirst: 60_000, delayMsMax: 90_000 }
    const [here, there] = [one, two].map((redis) =>
      createLockout({ name: 'account', rule, shared: createSharedFailures(redis), now: Date.now }),
    )
    if (!here || !there) throw new Error('no two gateways')
    const key = unique()
    const waits = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => [here, there][index % 2]?.failed(key)),
    )
    expect(waits.filter((ms) => ms === 0)).toHaveLength(5)
    expect(Math.max(...waits.map(Number))).toBeLessThanOrEqual(60_000)
    for (const gateway of [here, there]) expect(await gateway.waitMs(key)).toBeGreaterThan(30_000)
    expect(await here.waitMs(unique())).toBe(0)
    const [stored] = await one.client.keys(`${one.prefix}failures:*`)
    expect(await one.client.pttl(stored ?? '')).toBeGreaterThan(0)
    expect(stored).not.toContain('test')
    await there.forgive(key)
    for (const gateway of [here, there]) expect(await gateway.waitMs(key)).toBe(0)
  })

  test('A13 wait as long as those of one gateway: twice as long after each further one, up to the longest', async () => {
    await using server = await testRedis()
    await using redis = await openRedis(server.url, LOG)
    const rule = { ...lockoutRule(2), delayMsFirst: 30, delayMsMax: 100 }
    const failures = createSharedFailures(redis)
    const key = unique()
    const waits: number[] = []
    for (let count = 0; count < 6; count += 1) {
      await until('it may try again', async () => (await failures.waitMs(key, rule)) === 0)
      expect(await failures.failed(key, rule)).toBe(0)
      waits.push(await failures.waitMs(key, rule))
    }
    const longest = [0, 30, 60, 100, 100, 100]
    for (const [index, ms] of waits.entries()) expect(ms).toBeLessThanOrEqual(longest[index] ?? 0)
    expect(Math.max(...waits)).toBeGreaterThan(30)
    await failures.forgive(key)
  })
})
