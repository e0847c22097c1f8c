import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

/** So and so many times in a while, for each key by itself. */
export interface Allowance {
  /** Takes one; answers the seconds to wait when there is none left. */
  spend(key: string): Promise<number>
}

export interface AllowanceLimits {
  readonly times: number
  readonly seconds: number
}

/** In memory: each process allows that much. Keys that nobody uses are forgotten when their time is over. */
export function createAllowance({ times, seconds }: AllowanceLimits): Allowance {
  const limiter = new RateLimiterMemory({ points: times, duration: seconds })
  return {
    async spend(key) {
      try {
        await limiter.consume(key)
        return 0
      } catch (thrown) {
        if (thrown instanceof RateLimiterRes) return Math.max(1, Math.ceil(thrown.msBeforeNext / 1000))
        throw thrown
      }
    },
  }
}
