import { createRecentMap } from '#kernel/recent-map'

/** So much in a window that begins with the first request and ends `windowMs` later. */
export interface Rate {
  readonly limit: number
  readonly windowMs: number
}

/** What somebody may still do. */
export interface Verdict {
  readonly isAllowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Epoch milliseconds: when all of it is there again. */
  readonly resetAt: number
}

/** What was taken of a shared window. */
interface Grant {
  readonly granted: number
  /** By all gateways, this grant included. */
  readonly used: number
  readonly endsInMs: number
}

/** Counts for several gateways together. */
export interface SharedCounts {
  readonly isUp: boolean
  /** Takes up to `wanted` of what is left, in one step for all gateways. Rejects when it cannot be asked. */
  take(key: string, wanted: number, rate: Rate): Promise<Grant>
}

/** Lets each key do so much in a window. */
export interface RateLimiter {
  /** At once, unless other gateways have to be asked. Never rejects. */
  take(key: string): Verdict | Promise<Verdict>
}

export interface RateLimiterDeps {
  /** Tells this limiter's counts from those of others where they are shared. */
  readonly name: string
  /** Absent for a gateway that is alone. While it is away the gateway goes on counting for itself. */
  readonly shared?: SharedCounts | undefined
  /** Epoch milliseconds. */
  now(): number
}

/** Of more keys than this those that came last are counted. */
const KEYS_MAX = 100_000
/** A gateway takes this part of what is left at once, so that it need not ask for every call; of little, one by one. */
const LEASE_PARTS = 100
const LEASE_MAX = 100

interface Window {
  endsAt: number
  /** As far as is known, by all gateways. */
  used: number
  /** Of that, taken by this gateway and not yet used. */
  leased: number
  /** Whether the others have been asked in this window. */
  isKnown: boolean
  readonly waiting: ((verdict: Verdict) => void)[]
}

/** The only limiter of rates. Fixed windows: what is counted is exact, also over several gateways. */
export function createRateLimiter(rate: Rate, { name, shared, now }: RateLimiterDeps): RateLimiter {
  const windows = createRecentMap<Window>(KEYS_MAX)
  const windowOf = (key: string): Window => {
    const known = windows.get(key)
    if (known && now() < known.endsAt) return known
    const window = { endsAt: now() + rate.windowMs, used: 0, leased: 0, isKnown: false, waiting: [] }
    windows.set(key, window)
    return window
  }
  const ask = async (key: string, window: Window, counts: SharedCounts): Promise<void> => {
    while (window.waiting.length > 0) {
      const askedAt = now()
      const grant = await granted(counts, key, Math.max(window.waiting.length, leaseOf(rate.limit - window.used)))
      if (grant) {
        Object.assign(window, { used: grant.used, endsAt: askedAt + grant.endsInMs, isKnown: true })
        window.leased += grant.granted
      }
      const isOver = grant === undefined || grant.used >= rate.limit
      const served = isOver ? window.waiting.length : window.leased
      for (const answer of window.waiting.splice(0, served)) answer(local(window))
    }
  }
  const granted = (counts: SharedCounts, key: string, wanted: number): Promise<Grant | undefined> =>
    counts.take(`${name}:${key}`, wanted, rate).catch(() => undefined)
  const local = (window: Window): Verdict => {
    const isAllowed = window.leased > 0 || window.used < rate.limit
    if (window.leased > 0) window.leased -= 1
    else if (isAllowed) window.used += 1
    const { used, leased, endsAt } = window
    return { isAllowed, limit: rate.limit, remaining: rate.limit - used + leased, resetAt: endsAt }
  }
  return {
    take(key) {
      const window = windowOf(key)
      const isDecided = window.leased > 0 || (window.isKnown && window.used >= rate.limit)
      if (isDecided || !shared?.isUp) return local(window)
      const { promise, resolve } = Promise.withResolvers<Verdict>()
      window.waiting.push(resolve)
      if (window.waiting.length === 1) void ask(key, window, shared)
      return promise
    },
  }
}

function leaseOf(left: number): number {
  return Math.min(LEASE_MAX, Math.max(1, Math.floor(left / LEASE_PARTS)))
}
