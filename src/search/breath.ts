import { setImmediate } from 'node:timers/promises'

/** The collector may come in the middle of it and take as long again. */
const SLICE_MS = 3

/** Lets calls go on between the pieces of long work. */
export interface Breath {
  /** Resolves at once, or after other work when this one has held the event loop for some milliseconds. */
  take(): Promise<void>
  /** One piece after the other. */
  map<T, R>(items: readonly T[], work: (item: T) => R): Promise<R[]>
}

export function createBreath(): Breath {
  let since = performance.now()
  const take = async (): Promise<void> => {
    if (performance.now() - since < SLICE_MS) return
    await setImmediate()
    since = performance.now()
  }
  return {
    take,
    async map(items, work) {
      const done: ReturnType<typeof work>[] = []
      for (const item of items) {
        done.push(work(item))
        await take()
      }
      return done
    },
  }
}
