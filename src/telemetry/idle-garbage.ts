import { getHeapStatistics } from 'node:v8'
import { collectInSteps } from '#kernel/collect-in-steps'
import type { Logger } from '#kernel/logger'

const LOOK_MS = 1000
/** Of one core: whoever does less is idle. */
const IDLE_SHARE = 0.03
/** Processor time that leaves enough behind to be worth a collection, and how many looks without work show that it is over. */
const WORK_MS = 5000
const REST_LOOKS = 10
/** What lives in a larger heap takes longer to look through than a call would like to wait. */
const HEAP_BYTES_MAX = 64 * 2 ** 20

export interface IdleGarbageDeps {
  readonly log: Logger
  /** Only there where Node was started with `--expose-gc`, as `bin/metamcp.js` does. */
  readonly collect?: NodeJS.GCFunction | undefined
  readonly lookMs?: number
  readonly workMs?: number
  readonly restLooks?: number
  readonly heapBytesMax?: number
}

/**
 * Loading the program leaves 35 MB behind, and many calls more, that V8 only clears away when there is work to do. Here it is
 * told to do so in the first second in which there is none, and ten seconds after each stretch of work: it takes a tenth of
 * one, and the next calls have a young heap that must grow again. In a large gateway it is done in steps, and less thoroughly.
 */
export function collectIdleGarbage(deps: IdleGarbageDeps): Disposable {
  const { log, collect = globalThis.gc, lookMs = LOOK_MS, workMs = WORK_MS, restLooks = REST_LOOKS } = deps
  const { heapBytesMax = HEAP_BYTES_MAX } = deps
  let usedMs = cpuMs()
  let collectedAt: number | undefined
  let rested = 0
  const look = (): void => {
    const before = usedMs
    usedMs = cpuMs()
    rested = usedMs - before <= lookMs * IDLE_SHARE ? rested + 1 : 0
    const isFirst = collectedAt === undefined
    if (!collect || rested < (isFirst ? 1 : restLooks) || usedMs - (collectedAt ?? -Infinity) < workMs) return
    if (getHeapStatistics().used_heap_size > heapBytesMax) collectInSteps()
    else collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    collectedAt = cpuMs()
    log.debug({ durationMs: collectedAt - usedMs, rss: process.memoryUsage.rss() }, 'garbage collected while idle')
  }
  const timer = setInterval(look, lookMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Of all threads of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
