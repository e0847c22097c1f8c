import { uuidv7 } from '#kernel/ids'
import type { SearchHistory } from './search-history.ts'
import type { SearchRecord } from './searches.ts'
import type { ToolAnswer, ToolQuery, ToolSearch } from './tool-search.ts'

/** What the history keeps of a query. */
const QUERY_CHARS_MAX = 10_000

/** A search that the history knows by `id`. */
export interface RecordedSearch {
  search(query: ToolQuery): Promise<ToolAnswer & { readonly id: string }>
}

interface RecordedSearchDeps {
  readonly search: ToolSearch['search']
  readonly history: Pick<SearchHistory, 'record'>
  /** Epoch milliseconds. */
  now(): number
}

/** Keeps every search that was answered. One that failed leaves nothing: it would look like one that found nothing. */
export function recordedSearch({ search, history, now }: RecordedSearchDeps): RecordedSearch {
  return {
    async search(query) {
      const startedAt = now()
      const id = uuidv7(startedAt)
      const since = performance.now()
      const answer = await search(query)
      const times = { startedAt, durationMs: performance.now() - since }
      await history.record({ id, ...times, ...questionOf(query), ...resultOf(answer) })
      return { ...answer, id }
    },
  }
}

function questionOf({ principal, text, mode, namespace, surface }: ToolQuery) {
  return { principal: principal.id, query: text.slice(0, QUERY_CHARS_MAX), mode, namespace, surface }
}

function resultOf({ found, total, cached }: ToolAnswer): Pick<SearchRecord, 'found' | 'total' | 'cached'> {
  return { found: found.length, total, cached }
}
