import { Histogram } from '#kernel/histogram'
import type { SearchMode } from './fusion.ts'
import type { ToolAnswer, ToolQuery, ToolSearch } from './tool-search.ts'

/** The searches of one mode since the start. */
interface ModeSearches {
  readonly mode: SearchMode
  readonly outcomes: { found: number; nothing_found: number; failed: number }
  /** Answered from memory. */
  cached: number
  /** Of those that were answered. */
  readonly durations: Histogram
}

/** Counts searches in memory. */
export interface SearchMeter {
  /** The same search, counted. */
  measured(search: ToolSearch['search']): ToolSearch['search']
  report(): readonly ModeSearches[]
}

export function createSearchMeter(): SearchMeter {
  const modes = new Map((['keyword', 'semantic', 'hybrid'] as const).map((mode) => [mode, noSearches(mode)]))
  const count = (query: ToolQuery, answer: ToolAnswer | undefined, ms: number): void => {
    const mode = modes.get(query.mode)
    if (mode) countIn(mode, answer, ms)
  }
  return {
    measured: (search) => async (query) => {
      const since = performance.now()
      let answer: ToolAnswer | undefined
      try {
        answer = await search(query)
        return answer
      } finally {
        count(query, answer, performance.now() - since)
      }
    },
    report: () => [...modes.values()],
  }
}

function noSearches(mode: SearchMode): ModeSearches {
  return { mode, outcomes: { found: 0, nothing_found: 0, failed: 0 }, cached: 0, durations: new Histogram() }
}

function countIn(mode: ModeSearches, answer: ToolAnswer | undefined, ms: number): void {
  if (!answer) {
    mode.outcomes.failed += 1
    return
  }
  mode.outcomes[answer.found.length > 0 ? 'found' : 'nothing_found'] += 1
  if (answer.cached) mode.cached += 1
  mode.durations.add(ms / 1000)
}
