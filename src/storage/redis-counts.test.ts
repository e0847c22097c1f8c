import { describe, expect, test } from 'vitest'
import type { Logger } from '#kernel/logger'
import { createRateLimiter } from '#resilience/rate-limit'
import { openRedis } from './open-redis.ts'
import { createRedisCounts } from './redis-counts.ts'
import { hasRedis, testRedis } from '../../test/support/redis.ts'

const LOG: Logger = { debug() {}, info() {}, warn() {}, error() {} }

describe.skipIf(!hasRedis())('rates that are counted in Redis', () => {
  test('let exactly so many through over several connections, and end by themselves', async () => {
    await using server = await testRedis()
    await using one = await openRedis(server.url, LOG)
    await using two = await openRedis(server.url, LOG)
    const name = `test ${process.pid} ${Date.now()}`
    const rate = { limit: 100, windowMs: 60_000 }
    const limiters = [one, two].map((redis) =>
      createRateLimiter(rate, { name, shared: createRedisCounts(redis), now: Date.now }),
    )
    const verdicts = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => limiters[index % 2]!.take('ann')),
    )
    expect(verdicts.filter(({ isAllowed }) => isAllowed)).toHaveLength(100)
    const key = `${one.prefix}rate:${name}:ann`
    const endsInMs = await one.client.pttl(key)
    expect(endsInMs).toBeGreaterThan(0)
    expect(endsInMs).toBeLessThanOrEqual(60_000)
    await one.client.del(key)
  })

  test('count in the window that is there, whoever began it', async () => {
    await using server = await testRedis()
    await using redis = await openRedis(server.url, LOG)
    const counts = createRedisCounts(redis)
    const key = `test ${process.pid} ${Date.now()}`
    expect(await counts.take(key, 3, { limit: 5, windowMs: 60_000 })).toMatchObject({ granted: 3, used: 3 })
    expect(await counts.take(key, 3, { limit: 5, windowMs: 60_000 })).toMatchObject({ granted: 2, used: 5 })
    expect(await counts.take(key, 3, { limit: 5, windowMs: 60_000 })).toMatchObject({ granted: 0, used: 5 })
    await redis.client.del(`${redis.prefix}rate:${key}`)
  })
})
