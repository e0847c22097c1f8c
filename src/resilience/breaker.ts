export type BreakerState = 'closed' | 'open' | 'half-open'

/** When a breaker opens, for how long, and what closes it again. */
export interface BreakerRules {
  /** So many failures in a row open it. */
  readonly failures: number
  /** How long it stays open before it lets probes through. */
  readonly recoveryMs: number
  /** So many successful probes close it, and so many are let through at most. */
  readonly successes: number
}

/** What an outcome says about the thing behind the breaker. */
export type Verdict = 'success' | 'failure' | 'neither'

/** The live state. Times are epoch milliseconds. */
export interface BreakerStatus {
  readonly state: BreakerState
  /** Failures in a row while closed; those that opened it afterwards. */
  readonly failures: number
  /** Successful probes since it became half-open. */
  readonly successes: number
  readonly calls: number
  readonly refused: number
  readonly timesOpened: number
  readonly lastFailureAt: number | undefined
  readonly openedAt: number | undefined
  /** When the next probes may go; undefined while closed. */
  readonly probesAt: number | undefined
}

/** Lets work through while what is behind it does not fail too often. */
export interface Breaker<I, O> {
  /**
   * Runs `work`, or rejects with what `refuse` makes while the breaker is open. Half-open, as many probes as have to succeed
   * run, and everybody else is refused. What was begun before the state changed does not count any more.
   */
  run(work: (input: I) => Promise<O>, input: I): Promise<O>
  status(): BreakerStatus
  /** Closes it, as if nothing had failed. */
  reset(): void
}

export interface BreakerDeps<I, O> {
  readonly rules: BreakerRules
  /** Epoch milliseconds. */
  now(): number
  /** What a result says. */
  judgeResult(result: O, input: I, state: BreakerState): Verdict
  /** What an error says. */
  judgeError(error: unknown, input: I, state: BreakerState): Verdict
  /** The error for who is refused; `waitMs` until it makes sense to come again. */
  refuse(input: I, waitMs: number): Error
  changed(to: BreakerState, from: BreakerState): void
}

/** Failures further apart than this are not in a row. */
const WINDOW_MS = 60_000
/** While probes are on their way nobody knows how long they take. */
const PROBING_MS = 1000

export function createBreaker<I, O>(deps: BreakerDeps<I, O>): Breaker<I, O> {
  return new CircuitBreaker(deps)
}

class CircuitBreaker<I, O> implements Breaker<I, O> {
  readonly #deps: BreakerDeps<I, O>
  #state: BreakerState = 'closed'
  /** Changes with the state: an answer that belongs to an earlier round says nothing about this one. */
  #round = 0
  #failures = 0
  #successes = 0
  #probing = 0
  #calls = 0
  #refused = 0
  #timesOpened = 0
  #lastFailureAt: number | undefined
  #lastCause: unknown
  #openedAt: number | undefined

  constructor(deps: BreakerDeps<I, O>) {
    this.#deps = deps
  }

  async run(work: (input: I) => Promise<O>, input: I): Promise<O> {
    if (this.#state !== 'closed') this.#admitProbe(input)
    this.#calls += 1
    const round = this.#round
    try {
      const result = await work(input)
      this.#ended(round, this.#deps.judgeResult(result, input, this.#state), result)
      return result
    } catch (error) {
      this.#ended(round, this.#deps.judgeError(error, input, this.#state), error)
      throw error
    }
  }

  status(): BreakerStatus {
    this.#look()
    const { recoveryMs } = this.#deps.rules
    return {
      state: this.#state,
      failures: this.#failures,
      successes: this.#successes,
      calls: this.#calls,
      refused: this.#refused,
      timesOpened: this.#timesOpened,
      lastFailureAt: this.#lastFailureAt,
      openedAt: this.#openedAt,
      probesAt: this.#openedAt === undefined ? undefined : this.#openedAt + recoveryMs,
    }
  }

  reset(): void {
    this.#become('closed')
  }

  /** Throws for all but the probes. */
  #admitProbe(input: I): void {
    this.#look()
    const isFull = this.#probing + this.#successes >= this.#deps.rules.successes
    if (this.#state === 'half-open' && !isFull) this.#probing += 1
    else if (this.#state !== 'closed') this.#refuse(input, this.#state === 'open' ? this.#restMs() : PROBING_MS)
  }

  #refuse(input: I, waitMs: number): never {
    this.#refused += 1
    throw this.#deps.refuse(input, waitMs)
  }

  #restMs(): number {
    return (this.#openedAt ?? 0) + this.#deps.rules.recoveryMs - this.#deps.now()
  }

  /** An open one that has rested is half-open, whoever looks first. */
  #look(): void {
    if (this.#state === 'open' && this.#restMs() <= 0) this.#become('half-open')
  }

  #ended(round: number, verdict: Verdict, outcome: unknown): void {
    if (round !== this.#round) return
    if (this.#state === 'half-open') this.#probed(verdict)
    else if (verdict === 'failure') this.#failed(causeOf(outcome))
    else if (verdict === 'success') this.#failures = 0
  }

  #probed(verdict: Verdict): void {
    this.#probing -= 1
    if (verdict === 'failure') {
      this.#lastFailureAt = this.#deps.now()
      this.#become('open')
    } else if (verdict === 'success') {
      this.#successes += 1
      if (this.#successes >= this.#deps.rules.successes) this.#become('closed')
    }
  }

  /** One event that ends many calls, a process that dies, is one failure. */
  #failed(cause: unknown): void {
    if (cause === this.#lastCause) return
    const now = this.#deps.now()
    const isInRow = now - (this.#lastFailureAt ?? now) <= WINDOW_MS
    this.#failures = isInRow ? this.#failures + 1 : 1
    this.#lastFailureAt = now
    this.#lastCause = cause
    if (this.#failures >= this.#deps.rules.failures) this.#become('open')
  }

  #become(to: BreakerState): void {
    const from = this.#state
    this.#state = to
    this.#round += 1
    this.#successes = 0
    this.#probing = 0
    this.#lastCause = undefined
    if (to === 'open') {
      this.#timesOpened += 1
      this.#openedAt = this.#deps.now()
    } else if (to === 'closed') {
      this.#failures = 0
      this.#openedAt = undefined
    }
    if (from !== to) this.#deps.changed(to, from)
  }
}

/** What it all began with: errors are wrapped on their way. */
function causeOf(outcome: unknown): unknown {
  return outcome instanceof Error && outcome.cause instanceof Error ? causeOf(outcome.cause) : outcome
}
