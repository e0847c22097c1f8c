import type { Logger } from '#kernel/logger'

const LOOK_MS = 1000
/** Of one core: whoever does less is idle. */
const IDLE_SHARE = 0.03

export interface StartGarbageDeps {
  readonly log: Logger
  /** Only there where Node was started with `--expose-gc`, as `bin/metamcp.js` does. */
  readonly collect?: NodeJS.GCFunction | undefined
  readonly lookMs?: number
}

/**
 * Loading the program leaves 35 MB behind that V8 only clears away when there is work to do. Here it is told to do so once,
 * in the first second in which there is none: it takes a tenth of one.
 */
export function collectStartGarbage({ log, collect = globalThis.gc, lookMs = LOOK_MS }: StartGarbageDeps): Disposable {
  let usedMs = cpuMs()
  const look = (): void => {
    const before = usedMs
    usedMs = cpuMs()
    if (!collect || usedMs - before > lookMs * IDLE_SHARE) return
    clearInterval(timer)
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    log.debug({ durationMs: cpuMs() - usedMs, rss: process.memoryUsage.rss() }, 'garbage of the start collected')
  }
  const timer = setInterval(look, lookMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Of all threads of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
