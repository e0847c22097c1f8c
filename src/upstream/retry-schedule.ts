const FIRST_MS = 250
const LONGEST_MS = 60_000

/** When to try a dead upstream again: soon at first, then less and less often, never in step with other gateways. */
export interface RetrySchedule {
  /** Milliseconds until the next try; each call counts as one more failure. */
  next(): number
  /** It worked: the next failure starts from the beginning. */
  reset(): void
}

export function createRetrySchedule(random: () => number = Math.random): RetrySchedule {
  let failures = 0
  return {
    next() {
      const longest = Math.min(FIRST_MS * 2 ** failures, LONGEST_MS)
      failures = Math.min(failures + 1, 16)
      return Math.round(longest * (0.75 + random() / 4))
    },
    reset() {
      failures = 0
    },
  }
}
