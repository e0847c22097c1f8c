const FIRST_MS = 200
const LONGEST_MS = 5000

/** How much of a retry each call earns, and how many can be saved up. */
const PER_CALL = 0.1
const PER_SECOND = 0.5
const SAVED_MAX = 10

/**
 * Retries for one place. A tenth of its calls may be repeated, and a few more where there are few calls: who is in trouble
 * gets no multiple of them.
 */
export interface RetryBudget {
  /** A call came. */
  earn(): void
  /** Takes one retry; false when there is none. */
  take(): boolean
}

export function createRetryBudget(now: () => number): RetryBudget {
  let saved = SAVED_MAX
  let takenAt = now()
  return {
    earn() {
      saved = Math.min(saved + PER_CALL, SAVED_MAX)
    },
    take() {
      const at = now()
      saved = Math.min(saved + ((at - takenAt) / 1000) * PER_SECOND, SAVED_MAX)
      takenAt = at
      if (saved < 1) return false
      saved -= 1
      return true
    },
  }
}

/** Milliseconds before the next try, after so many: twice as long each time, and never the same for all. */
export function backoffMs(tries: number, random: () => number = Math.random): number {
  const longest = Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS)
  return Math.round(longest * (0.5 + random() / 2))
}
