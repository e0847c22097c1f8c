import type { z } from 'zod'
import { describe, expect, test } from 'vitest'
import type { cacheStats } from '#contract/cache'
import type { GatewayChild } from '../support/gateway-child.ts'
import { counting, startBackend } from '../support/recording-backend.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { hasReplicas, loggedIn, startReplicas } from '../support/replicas.ts'
import { until } from '../support/until.ts'

type Stats = z.infer<typeof cacheStats>
type Headers = Readonly<Record<string, string>>

/** Two gateways with one tool; the backend numbers its answers. */
async function start() {
  await using cleanup = new AsyncDisposableStack()
  const backend = cleanup.use(await startBackend())
  backend.on('/lamp', counting(backend))
  const lamp = { endpoint: `${backend.url}/lamp`, readOnly: true, cache: { ttlSeconds: 600 } }
  const replicas = cleanup.use(await startReplicas({ file: { tools: { lamp } } }))
  const headers = await loggedIn(replicas.one)
  const kept = cleanup.move()
  return { backend, ...replicas, headers, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function execute({ api }: GatewayChild, args: object, headers: Headers): Promise<[n: number, cached: boolean]> {
  const { status, body } = await api.execute('lamp', args, headers)
  expect(status).toBe(200)
  return [(body.result.structuredContent as { n: number }).n, (body as unknown as { cached: boolean }).cached]
}

const statsOf = async ({ api }: GatewayChild, headers: Headers): Promise<Stats> =>
  (await api.send<Stats>('GET', 'cache/stats', undefined, headers)).body
const remove = async ({ api }: GatewayChild, query: string, headers: Headers): Promise<number> =>
  (await api.send<{ removed: number }>('DELETE', `cache${query}`, undefined, headers)).body.removed

describe.skipIf(!hasReplicas)('two gateways on one Redis', () => {
  /** R016, R090, R171, R207: what one has asked, the other need not ask. */
  test('give each other’s results, and what is removed at one is removed at both', async () => {
    await using t = await start()
    const { one, two, headers, backend } = t
    expect(await execute(one, { a: 1 }, headers)).toEqual([1, false])
    await until('the result is in Redis', async () => (await statsOf(one, headers)).redis?.sets === 1)
    expect(await execute(two, { a: 1 }, headers)).toEqual([1, true])
    expect(await execute(two, { a: 1 }, headers)).toEqual([1, true])
    expect(backend.seen).toHaveLength(1)
    expect(await statsOf(two, headers)).toMatchObject({ hits: 2, misses: 0, entries: 1, redis: { up: true, hits: 1 } })
    expect(await execute(two, { a: 2 }, headers)).toEqual([2, false])
    await until('the second is in Redis', async () => (await statsOf(two, headers)).redis?.sets === 1)
    expect(await remove(one, '?tag=server:nobody', headers)).toBe(0)
    expect(await remove(one, '?tag=tool:lamp&prefix=la', headers)).toBe(2)
    await until('the other has forgotten', async () => (await statsOf(two, headers)).entries === 0)
    expect(await execute(two, { a: 1 }, headers)).toEqual([3, false])
    expect(await remove(two, '', headers)).toBe(1)
  })

  /** R016, F13: a Redis that dies costs sharing, nothing else. */
  test('go on in memory while Redis is away, and forget at its return what they cannot know', async () => {
    await using t = await start()
    const { one, two, headers, redis } = t
    await execute(one, { a: 1 }, headers)
    await redis.close()
    for (const gateway of [one, two])
      await until('it is noticed', async () => (await statsOf(gateway, headers)).redis?.up === false)
    expect(await execute(one, { a: 1 }, headers)).toEqual([1, true])
    expect(await execute(two, { a: 1 }, headers)).toEqual([2, false])
    expect(await execute(two, { a: 1 }, headers)).toEqual([2, true])
    await using _again = await startRedisServer(redis.port)
    await until('both are back', async () => {
      const stats = await Promise.all([one, two].map((gateway) => statsOf(gateway, headers)))
      return stats.every((each) => each.redis?.up === true && each.entries === 0)
    })
    expect(await execute(two, { a: 1 }, headers)).toEqual([3, false])
    await until('it is in Redis', async () => (await statsOf(two, headers)).redis?.sets === 1)
    expect(await execute(one, { a: 1 }, headers)).toEqual([3, true])
  })

  /** R093, F13: Redis still has what it could not be told to forget. */
  test('make up for a removal that did not reach a Redis which hung', async () => {
    await using t = await start()
    const { one, two, headers, redis } = t
    await execute(one, { a: 1 }, headers)
    await until('the result is in Redis', async () => (await statsOf(one, headers)).redis?.sets === 1)
    redis.signal('SIGSTOP')
    await until('it is noticed', async () => (await statsOf(one, headers)).redis?.up === false)
    expect(await remove(one, '?tag=lamp', headers)).toBe(1)
    redis.signal('SIGCONT')
    for (const gateway of [one, two])
      await until('it is back', async () => (await statsOf(gateway, headers)).redis?.up === true)
    await until('nobody gives it again', async () => (await execute(two, { a: 1 }, headers))[0] === 2)
  })
})
