const LOOK_MS = 2500

interface Breathing {
  keepAlive(now: number): void
}

/** One clock for all open answers and streams: a timer a request would cost more than the request. */
export interface KeepAlives extends Disposable {
  add(item: Breathing): void
  delete(item: Breathing): void
  readonly size: number
}

export function createKeepAlives(): KeepAlives {
  const items = new Set<Breathing>()
  const timer = setInterval(() => {
    const now = Date.now()
    for (const item of items) item.keepAlive(now)
  }, LOOK_MS).unref()
  return {
    add: (item) => void items.add(item),
    delete: (item) => void items.delete(item),
    get size() {
      return items.size
    },
    [Symbol.dispose]() {
      clearInterval(timer)
    },
  }
}
