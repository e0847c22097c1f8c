import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { ExecutionStore } from './executions.ts'

const DAY_MS = 86_400_000
const PRUNE_MS = 10 * 60_000

/** What is kept for how long; 0 days for ever. */
interface Retention {
  readonly days: number
  readonly statisticsDays: number
}

/** How the pruning is. */
interface PruneReport extends Retention {
  /** Rows that were removed since the start. */
  readonly removed: number
  /** Why the last round did not come to its end; undefined where it did. */
  readonly failure: string | undefined
}

/** Removes calls and searches whose time is over. */
export interface HistoryKeeper extends AsyncDisposable {
  report(): PruneReport
}

interface KeepHistoryDeps {
  readonly executions: Pick<ExecutionStore, 'prune' | 'pruneStats'>
  /** Searches are kept as long as calls. */
  readonly searches: Pick<ExecutionStore, 'prune'>
  readonly retention: Retention
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

/** Looks at once and every ten minutes. Ending waits for no more than the piece that is being removed. */
export function keepHistory({ executions, searches, retention, log, now }: KeepHistoryDeps): HistoryKeeper {
  const { days, statisticsDays } = retention
  const ending = new AbortController()
  let removed = 0
  let failure: string | undefined
  let running: Promise<void> | undefined

  const prune = async (): Promise<number> => {
    const [before, statisticsBefore] = [now() - days * DAY_MS, now() - statisticsDays * DAY_MS]
    let rows = 0
    if (days > 0) {
      rows += await executions.prune(before, ending.signal)
      rows += await searches.prune(before, ending.signal)
    }
    if (statisticsDays > 0) await executions.pruneStats(statisticsBefore)
    return rows
  }
  const round = async (): Promise<void> => {
    try {
      const rows = await prune()
      removed += rows
      failure = undefined
      if (rows > 0) log.info({ rows, days }, 'history pruned')
    } catch (thrown) {
      if (failure === undefined) log.warn({ error: messageOf(thrown) }, 'history could not be pruned')
      failure = messageOf(thrown)
    }
    running = undefined
  }
  const start = (): void => void (running ??= round())
  const timer = setInterval(start, PRUNE_MS)
  // A gateway that could not start does not stay for this.
  timer.unref()
  start()
  return {
    report: () => ({ ...retention, removed, failure }),
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      ending.abort()
      await running
    },
  }
}
