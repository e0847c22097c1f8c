import type { SharedTexts } from '#resilience/second-level'
import type { SharedRedis } from './open-redis.ts'

const SCAN_COUNT = 1000

/** Texts under keys of ours in Redis, which forgets them by itself. */
export function createSharedTexts(redis: SharedRedis): SharedTexts {
  const { client } = redis
  const start = `${redis.prefix}result:`
  const unlink = async (keys: readonly string[]): Promise<void> => {
    if (keys.length > 0) await client.unlink(...keys.map((key) => start + key))
  }
  return {
    get isUp() {
      return redis.isUp
    },
    get: async (key) => (await client.get(start + key)) ?? undefined,
    async set(key, text, ttlMs) {
      if (ttlMs >= 1) await client.set(start + key, text, 'PX', Math.floor(ttlMs))
    },
    async remove(isSelected) {
      const removed = new Set<string>()
      let cursor = '0'
      do {
        const [next, found] = await client.scan(cursor, 'MATCH', `${start}*`, 'COUNT', SCAN_COUNT)
        cursor = next
        const keys = found.map((key) => key.slice(start.length)).filter(isSelected)
        await unlink(keys)
        for (const key of keys) removed.add(key)
      } while (cursor !== '0')
      return [...removed]
    },
    forget: unlink,
  }
}
