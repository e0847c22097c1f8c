import type { CancelSignal } from '#kernel/cancellation'
import { AppError } from '#kernel/errors'

/** A place that somebody has. */
export interface Place {
  /**
   * Gives the place to others while `wait` runs. Whoever comes back goes on at once, before those who wait: the limit may
   * be exceeded by as many as come back together.
   */
  lend<T>(wait: () => Promise<T>): Promise<T>
}

/** Lets at most `limit` things happen at once and a bounded number wait, first come, first served. */
export interface Bulkhead {
  /**
   * Runs `work` when there is a place. Rejects with `overloaded` when too many wait already, or so many that there would be
   * no place in `waitMsMax`; with `timeout` after that time without a place; with the signal's reason when that aborts first.
   */
  run<T>(work: (place: Place) => Promise<T>, signal: CancelSignal, waitMsMax?: number): Promise<T>
  readonly running: number
  readonly waiting: number
}

export interface BulkheadLimits {
  readonly limit: number
  readonly queueMax: number
  readonly waitMsMax: number
  /** Stands in messages: what is full. */
  readonly name: string
  /** Milliseconds; the clock of the machine where absent. */
  readonly now?: () => number
}

/** How much the last round of places counts in what a wait is expected to be. */
const WEIGHT = 0.5

export function createBulkhead({ limit, queueMax, name, now = Date.now, ...limits }: BulkheadLimits): Bulkhead {
  let running = 0
  const queue = new Set<() => void>()
  const pace = createPace(limit, now)

  const release = (): void => {
    const [next] = queue
    if (next && running <= limit) {
      queue.delete(next)
      pace.placeGiven()
      next()
    } else running -= 1
  }
  const wait = (signal: CancelSignal, waitMsMax: number): Promise<void> => {
    if (signal.aborted) return Promise.reject(signal.reason)
    const waitMs = queue.size * pace.perPlaceMs()
    if (queue.size >= queueMax || waitMs > waitMsMax) return Promise.reject(overloaded(name, queue.size, waitMs))
    if (queue.size === 0) pace.firstWaits()
    return turnIn(
      queue,
      signal,
      () => new AppError('timeout', `No place became free at ${name} in ${waitMsMax} ms`),
      waitMsMax,
    )
  }
  const place: Place = {
    async lend(away) {
      release()
      try {
        return await away()
      } finally {
        running += 1
      }
    },
  }
  return {
    async run(work, signal, waitMsMax = limits.waitMsMax) {
      if (running < limit) running += 1
      else await wait(signal, Math.min(waitMsMax, limits.waitMsMax))
      try {
        return await work(place)
      } finally {
        release()
      }
    },
    get running() {
      return running
    },
    get waiting() {
      return queue.size
    },
  }
}

/** Resolves when somebody takes us out of the queue and calls us; rejects, and leaves it, when the time or the caller is gone. */
function turnIn(queue: Set<() => void>, signal: CancelSignal, late: () => AppError, waitMsMax: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const leave = (error: unknown): void => {
    queue.delete(resolve)
    reject(error)
  }
  const abort = (): void => leave(signal.reason)
  const timer = setTimeout(() => leave(late()), waitMsMax)
  signal.addEventListener('abort', abort)
  queue.add(resolve)
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  })
}

/**
 * How fast places become free while somebody waits: measured over as many as there are, because those that were taken together
 * become free together. Until then nothing is known: 0.
 */
function createPace(places: number, now: () => number) {
  let sinceMs = 0
  let given = 0
  let perPlaceMs = 0
  const startRound = (): void => {
    sinceMs = now()
    given = 0
  }
  return {
    perPlaceMs: () => perPlaceMs,
    /** Nobody waited before: what a place took until now says nothing. */
    firstWaits: startRound,
    placeGiven(): void {
      given += 1
      if (given < places) return
      const lastMs = (now() - sinceMs) / places
      perPlaceMs += (lastMs - perPlaceMs) * (perPlaceMs === 0 ? 1 : WEIGHT)
      startRound()
    },
  }
}

function overloaded(name: string, waiting: number, waitMs: number): AppError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new AppError('overloaded', `${waiting} calls wait for ${name} already; try again in ${seconds} s`, {
    details: { waiting, retry_after: seconds },
  })
}
