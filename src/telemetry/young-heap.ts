import { PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'

const WINDOW_MS = 1000
/** A gateway that is called now and then comes to a few. */
const COLLECTIONS_MAX = 20

/**
 * The young part of the heap stays as small as it was at the start (`bin/metamcp.js` says so to V8) until the collector has to
 * run all the time, so many times a second: then each call pays for that, and V8 may double it as often as it likes, up to its bound.
 */
export function growYoungHeapWhenBusy(
  collectionsMax = COLLECTIONS_MAX,
  grow = (): void => setFlagsFromString('--semi-space-growth-factor=2'),
): Disposable {
  let since = performance.now()
  let collections = 0
  const observer = new PerformanceObserver((seen) => {
    collections += seen.getEntries().length
    const now = performance.now()
    if (now - since < WINDOW_MS) return
    const isBusy = collections > (collectionsMax * (now - since)) / WINDOW_MS
    since = now
    collections = 0
    if (!isBusy) return
    observer.disconnect()
    grow()
  })
  observer.observe({ entryTypes: ['gc'] })
  return { [Symbol.dispose]: () => observer.disconnect() }
}
