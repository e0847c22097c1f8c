const LOOK_MS = 2500

/** Something that gives a sign of life when it was silent for long. Knows its own place in the list. */
export interface Breathing {
  place?: number | undefined
  keepAlive(now: number): void
}

/**
 * One clock for all open answers and streams: a timer a request would cost more than the request. A list and no Set,
 * for the reason that `ChurnMap` tells.
 */
export interface KeepAlives extends Disposable {
  add(item: Breathing): void
  delete(item: Breathing): void
  readonly size: number
}

export function createKeepAlives(): KeepAlives {
  const items: Breathing[] = []
  const timer = setInterval(() => {
    const now = Date.now()
    for (const item of items.slice()) item.keepAlive(now)
  }, LOOK_MS).unref()
  return {
    add(item) {
      if (item.place !== undefined) return
      item.place = items.length
      items.push(item)
    },
    delete(item) {
      const { place } = item
      const last = items.at(-1)
      if (place === undefined || !last) return
      items[place] = last
      last.place = place
      items.pop()
      // Not `delete`: that makes an object of every request a slow one.
      item.place = undefined
    },
    get size() {
      return items.length
    },
    [Symbol.dispose]() {
      clearInterval(timer)
    },
  }
}
