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
   * Runs `work` when there is a place. Rejects with `overloaded` when too many wait already, with `timeout` after `waitMsMax`
   * without a place, and with the signal's reason when that aborts first. Who has less time waits less.
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
}

export function createBulkhead({ limit, queueMax, name, ...limits }: BulkheadLimits): Bulkhead {
  let running = 0
  const queue = new Set<() => void>()

  const release = (): void => {
    const [next] = queue
    if (next && running <= limit) {
      queue.delete(next)
      next()
    } else running -= 1
  }
  const wait = (signal: CancelSignal, waitMsMax: number): Promise<void> => {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (queue.size >= queueMax)
      return Promise.reject(new AppError('overloaded', `${queueMax} calls wait for ${name} already`))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const give = (error: unknown): void => {
      queue.delete(resolve)
      reject(error)
    }
    const abort = (): void => give(signal.reason)
    const timer = setTimeout(
      () => give(new AppError('timeout', `No place became free at ${name} in ${waitMsMax} ms`)),
      waitMsMax,
    )
    signal.addEventListener('abort', abort)
    queue.add(resolve)
    return promise.finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    })
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
