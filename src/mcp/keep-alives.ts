import { Roster, type Listed } from '#kernel/roster'

const LOOK_MS = 2500

/** Something that gives a sign of life when it was silent for long. */
export interface Breathing extends Listed {
  keepAlive(now: number): void
}

/** One clock for all open answers and streams: a timer a request would cost more than the request. */
export interface KeepAlives extends Disposable {
  add(item: Breathing): void
  delete(item: Breathing): void
}

export function createKeepAlives(): KeepAlives {
  const items = new Roster<Breathing>()
  const timer = setInterval(() => {
    const now = Date.now()
    for (const item of items.all()) item.keepAlive(now)
  }, LOOK_MS).unref()
  return {
    add: (item) => items.add(item),
    delete: (item) => items.delete(item),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
