import { createRecentMap } from '#kernel/recent-map'

const DELAY_MS_FIRST = 1_000
const DELAY_MS_MAX = 15 * 60_000
/** Longer than the longest delay: who waits it out and fails again waits as long once more. */
const FORGOTTEN_AFTER_MS = 60 * 60_000
const KEYS_MAX = 20_000

/** Makes whoever fails often wait: a second after so many failures, twice as long after each further one, at most 15 minutes. */
export interface Lockout {
  /** Milliseconds until `key` may try again; 0 when it may now. */
  waitMs(key: string): number
  failed(key: string): void
  forgive(key: string): void
}

interface Failures {
  readonly count: number
  readonly lastAt: number
}

/** In memory and bounded: of very many keys those that failed last are remembered. */
export function createLockout(freeFailures: number, now: () => number): Lockout {
  const byKey = createRecentMap<Failures>(KEYS_MAX)
  const failuresOf = (key: string): Failures | undefined => {
    const failures = byKey.get(key)
    return failures && now() - failures.lastAt < FORGOTTEN_AFTER_MS ? failures : undefined
  }
  return {
    waitMs(key) {
      const failures = failuresOf(key)
      if (!failures || failures.count < freeFailures) return 0
      const delay = Math.min(DELAY_MS_FIRST * 2 ** (failures.count - freeFailures), DELAY_MS_MAX)
      return Math.max(0, failures.lastAt + delay - now())
    },
    failed: (key) => byKey.set(key, { count: (failuresOf(key)?.count ?? 0) + 1, lastAt: now() }),
    forgive: (key) => byKey.delete(key),
  }
}
