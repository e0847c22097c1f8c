import type { SharedCounts } from '#resilience/rate-limit'
import type { SharedRedis } from './open-redis.ts'

/** In one step, so that of all gateways together nobody gets more than there is. A window begins with what is taken first. */
const TAKE = `
  local used = tonumber(redis.call('get', KEYS[1]) or '0')
  local granted = math.max(0, math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - used))
  used = redis.call('incrby', KEYS[1], granted)
  local ends = redis.call('pttl', KEYS[1])
  if ends < 0 then
    ends = tonumber(ARGV[3])
    redis.call('pexpire', KEYS[1], ends)
  end
  return {granted, used, ends}
`

/** Counts in Redis what gateways let through together. */
export function createRedisCounts(redis: SharedRedis): SharedCounts {
  return {
    get isUp() {
      return redis.isUp
    },
    async take(key, wanted, { limit, windowMs }) {
      const answer = await redis.client.eval(TAKE, 1, `${redis.prefix}rate:${key}`, wanted, limit, windowMs)
      const [granted, used, endsInMs] = answer as [number, number, number]
      return { granted, used, endsInMs }
    },
  }
}
