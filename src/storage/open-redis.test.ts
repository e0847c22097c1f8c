import { describe, expect, test } from 'vitest'
import type { Logger } from '#kernel/logger'
import { openRedis } from './open-redis.ts'
import { hasRedis, testRedis } from '../../test/support/redis.ts'
import { hasRedisServer, startRedisServer } from '../../test/support/redis-server.ts'
import { until } from '../../test/support/until.ts'

function recorder(): { lines: string[]; log: Logger } {
  const lines: string[] = []
  const note = (_fields: object, phrase: string): void => void lines.push(phrase)
  return { lines, log: { debug: note, info: note, warn: note, error: note } }
}

const AWAY = 'redis is away: limits, caches and news are local until it is back'

describe.skipIf(!hasRedis())('a broadcast over Redis', () => {
  /** What one gateway revokes must not come back to it as news: it would forget what it has just verified. */
  test('reaches every other gateway and not the sender, each topic for itself, texts as they are', async () => {
    await using server = await testRedis()
    const { log } = recorder()
    await using one = await openRedis(server.url, log)
    await using two = await openRedis(server.url, log)
    const heard: string[] = []
    one.broadcast.listen('news', (text) => heard.push(`one ${text}`))
    two.broadcast.listen('news', (text) => heard.push(`two ${text}`))
    two.broadcast.listen('news', (text) => heard.push(`again ${text}`))
    two.broadcast.listen('other', (text) => heard.push(`other ${text}`))
    one.broadcast.send('news', 'a text  with blanks\nand lines')
    one.broadcast.send('other', '')
    await until('all news are there', () => heard.length === 3)
    expect(heard).toEqual(['two a text  with blanks\nand lines', 'again a text  with blanks\nand lines', 'other '])
    expect([one.broadcast.isLive, two.isUp]).toEqual([true, true])
  })
})

describe.skipIf(!hasRedisServer())('F13 a Redis that goes away', () => {
  test('is told once each way, is listened to again when it is back, and what was missed is told as a gap', async () => {
    const server = await startRedisServer()
    const { lines, log } = recorder()
    await using redis = await openRedis(server.url, log)
    let gaps = 0
    redis.broadcast.onGap(() => (gaps += 1))
    await server.close()
    await until('it is noticed', () => !redis.isUp)
    redis.broadcast.send('news', 'into the void')
    await expect(redis.client.get('x')).rejects.toThrow()
    expect(gaps).toBe(0)
    await using again = await startRedisServer(server.port)
    await until('it is back', () => redis.isUp)
    expect([gaps, lines]).toEqual([1, ['redis is connected', AWAY, 'redis is connected']])
    await using other = await openRedis(again.url, recorder().log)
    const heard: string[] = []
    redis.broadcast.listen('news', (text) => heard.push(text))
    other.broadcast.send('news', 'hello')
    await until('news come again', () => heard.length === 1)
  })

  test('that hangs with its connections open is away too, and back when it goes on', async () => {
    await using server = await startRedisServer()
    const { lines, log } = recorder()
    await using redis = await openRedis(server.url, log)
    server.signal('SIGSTOP')
    const asked = redis.client.get('x')
    await expect(asked).rejects.toThrow()
    await until('it is noticed', () => !redis.isUp)
    server.signal('SIGCONT')
    await until('it is back', () => redis.isUp)
    expect(lines).toEqual(['redis is connected', AWAY, 'redis is connected'])
  })

  test('that is not there yet does not keep anybody from starting', async () => {
    const gone = await startRedisServer()
    await gone.close()
    const { lines, log } = recorder()
    await using redis = await openRedis(gone.url, log)
    expect([redis.isUp, redis.broadcast.isLive, lines]).toEqual([false, false, [AWAY]])
    await using _server = await startRedisServer(gone.port)
    await until('it is found', () => redis.isUp)
  })
})
