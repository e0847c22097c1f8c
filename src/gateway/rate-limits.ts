import { AppError } from '#kernel/errors'
import { createRateLimiter, type RateLimiter, type SharedCounts, type Verdict } from '#resilience/rate-limit'

const WINDOW_MS = 60_000

/** What requests are counted as: by whom they come, each for itself. */
export type RateClass = 'login' | 'management' | 'calls'

/** How many of each class a minute; 0 for any number. */
type RatesPerMinute = Readonly<Record<RateClass, number>>

/** Asked once for every request, by the surface that it comes to. */
export interface RateLimits {
  /**
   * Counts a request; the head of its response will say what is left. Throws or rejects with `rate_limited` when that is nothing.
   * At once, unless other gateways have to be asked.
   */
  admit(kind: RateClass, who: string, response: Rated): void | Promise<void>
}

/** What a caller may still ask for, and when all of it is there again (epoch milliseconds). */
export type Allowance = Pick<Verdict, 'limit' | 'remaining' | 'resetAt'>

/** A response that tells it. */
interface Rated {
  readonly headersSent: boolean
  allowance?: Allowance | undefined
}

export interface RateLimitDeps {
  readonly ratesPerMinute: RatesPerMinute
  readonly shared?: SharedCounts | undefined
  /** Epoch milliseconds. */
  now(): number
}

export function createRateLimits({ ratesPerMinute, shared, now }: RateLimitDeps): RateLimits {
  const limiterOf = (name: RateClass): RateLimiter | undefined => {
    const limit = ratesPerMinute[name]
    return limit === 0 ? undefined : createRateLimiter({ limit, windowMs: WINDOW_MS }, { name, shared, now })
  }
  const limiters = { login: limiterOf('login'), management: limiterOf('management'), calls: limiterOf('calls') }
  return {
    admit(kind, who, response) {
      const verdict = limiters[kind]?.take(who)
      if (verdict instanceof Promise) return verdict.then((found) => heed(found, response, now()))
      if (verdict) heed(verdict, response, now())
    },
  }
}

function heed(verdict: Verdict, response: Rated, nowMs: number): void {
  response.allowance = verdict
  if (verdict.isAllowed) return
  const seconds = Math.max(1, Math.ceil((verdict.resetAt - nowMs) / 1000))
  const details = { limit: verdict.limit, retry_after: seconds }
  throw new AppError('rate_limited', `More than ${verdict.limit} requests a minute; try again in ${seconds} s`, {
    details,
  })
}
