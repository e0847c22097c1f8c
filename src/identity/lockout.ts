import { createRecentMap } from '#kernel/recent-map'

const KEYS_MAX = 20_000

/** How long whoever fails often has to wait. */
export interface LockoutRule {
  readonly freeFailures: number
  /** After so many; twice as long after each further one. */
  readonly delayMsFirst: number
  readonly delayMsMax: number
  /** Since the last failure. */
  readonly forgottenAfterMs: number
}

/** A second after so many failures, at most 15 minutes; an hour is longer, so who waits it out and fails again waits as long once more. */
export function lockoutRule(freeFailures: number): LockoutRule {
  return { freeFailures, delayMsFirst: 1_000, delayMsMax: 15 * 60_000, forgottenAfterMs: 60 * 60_000 }
}

/** Failures that several gateways count together. Its promises reject when it cannot be asked. */
export interface SharedFailures {
  readonly isUp: boolean
  /** Milliseconds until `key` may try again; 0 when it may now. */
  waitMs(key: string, rule: LockoutRule): Promise<number>
  /** Counts a failure of whoever need not wait, in one step for all gateways; answers how long it has to. */
  failed(key: string, rule: LockoutRule): Promise<number>
  forgive(key: string): Promise<void>
}

/** Makes whoever fails often wait. Answers at once, unless other gateways have to be asked. */
export interface Lockout {
  /** Milliseconds until `key` may try again; 0 when it may now. */
  waitMs(key: string): number | Promise<number>
  /** Counts a failure of whoever need not wait; one that has to is told how long, and not counted. */
  failed(key: string): number | Promise<number>
  forgive(key: string): void | Promise<void>
}

interface LockoutDeps {
  /** Tells its keys from those of others where they are shared. */
  readonly name: string
  readonly rule: LockoutRule
  /** Absent for a gateway that is alone. While it is away the gateway goes on with what it has counted itself. */
  readonly shared?: SharedFailures | undefined
  /** Epoch milliseconds. */
  now(): number
}

export function createLockout({ name, rule, shared, now }: LockoutDeps): Lockout {
  const own = createOwnLockout(rule, now)
  if (!shared) return own
  const asked = <T>(together: () => Promise<T>, alone: () => T): T | Promise<T> =>
    shared.isUp ? together().catch(alone) : alone()
  return {
    waitMs: (key) =>
      asked(
        () => shared.waitMs(`${name}:${key}`, rule),
        () => own.waitMs(key),
      ),
    failed(key) {
      const alone = own.failed(key)
      return asked(
        () => shared.failed(`${name}:${key}`, rule),
        () => alone,
      )
    },
    forgive(key) {
      own.forgive(key)
      return asked(
        () => shared.forgive(`${name}:${key}`),
        () => undefined,
      )
    },
  }
}

interface Failures {
  readonly count: number
  readonly lastAt: number
}

/** In memory and bounded: of very many keys those that failed last are remembered. */
function createOwnLockout(rule: LockoutRule, now: () => number) {
  const { freeFailures, delayMsFirst, delayMsMax, forgottenAfterMs } = rule
  const byKey = createRecentMap<Failures>(KEYS_MAX)
  const failuresOf = (key: string): Failures | undefined => {
    const failures = byKey.get(key)
    return failures && now() - failures.lastAt < forgottenAfterMs ? failures : undefined
  }
  const waitMs = (key: string): number => {
    const failures = failuresOf(key)
    if (!failures || failures.count < freeFailures) return 0
    const delay = Math.min(delayMsFirst * 2 ** (failures.count - freeFailures), delayMsMax)
    return Math.max(0, failures.lastAt + delay - now())
  }
  return {
    waitMs,
    failed(key: string): number {
      const left = waitMs(key)
      if (left === 0) byKey.set(key, { count: (failuresOf(key)?.count ?? 0) + 1, lastAt: now() })
      return left
    },
    forgive: (key: string): void => byKey.delete(key),
  }
}
