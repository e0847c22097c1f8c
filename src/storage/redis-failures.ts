import type { LockoutRule, SharedFailures } from '#identity/lockout'
import { digest } from '#kernel/seal'
import type { SharedRedis } from './open-redis.ts'

/** In one step, and by the clock of Redis, so that gateways need not agree on the time. */
const LOOK = `
  local count, at = unpack(redis.call('hmget', KEYS[1], 'count', 'at'))
  local free, first, longest, forgotten = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
  local time = redis.call('time')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  count = tonumber(count or '0')
  if count >= free then
    local left = tonumber(at) + math.min(first * 2 ^ (count - free), longest) - now
    if left > 0 then
      return left
    end
  end
  if ARGV[1] == 'failed' then
    redis.call('hset', KEYS[1], 'count', count + 1, 'at', now)
    redis.call('pexpire', KEYS[1], forgotten)
  end
  return 0
`

/** Counts in Redis who failed to log in, whichever gateway it tried. */
export function createSharedFailures(redis: SharedRedis): SharedFailures {
  // What was typed as a username may be a password.
  const keyOf = (key: string): string => `${redis.prefix}failures:${digest(key)}`
  const look = async (what: 'look' | 'failed', key: string, rule: LockoutRule): Promise<number> => {
    const { freeFailures, delayMsFirst, delayMsMax, forgottenAfterMs } = rule
    const numbers = [freeFailures, delayMsFirst, delayMsMax, forgottenAfterMs]
    return Number(await redis.client.eval(LOOK, 1, keyOf(key), what, ...numbers))
  }
  return {
    get isUp() {
      return redis.isUp
    },
    waitMs: (key, rule) => look('look', key, rule),
    failed: (key, rule) => look('failed', key, rule),
    async forgive(key) {
      await redis.client.del(keyOf(key))
    },
  }
}
