import { join } from 'node:path'
import type { Logger } from '#kernel/logger'
import type { Catalog } from '#registry/registry-api'
import { recordedSearch, type RecordedSearch } from './recorded-search.ts'
import { createSearchHistory } from './search-history.ts'
import type { SearchStore } from './searches.ts'
import { loadStaticEmbedder } from './static-embedder.ts'
import { createToolSearch, type ToolSearch } from './tool-search.ts'

/** The table that the package brings: the same place seen from `src/` and from `dist/`. */
const STATIC_EMBEDDINGS = join(import.meta.dirname, '../../assets/static-embeddings')

/** The search over a catalog, and its history. */
export interface OpenToolSearch extends RecordedSearch, AsyncDisposable {
  readonly history: Pick<SearchStore, 'list' | 'stats' | 'missed'>
}

interface OpenToolSearchDeps {
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

/** It reads its table and the catalog at the first query: who never searches pays nothing. */
export function openToolSearch(catalog: Catalog, store: SearchStore, { log, now }: OpenToolSearchDeps): OpenToolSearch {
  const history = createSearchHistory({ store, log })
  let opened: ToolSearch | undefined
  const search: ToolSearch['search'] = (query) =>
    (opened ??= createToolSearch(catalog, loadStaticEmbedder(STATIC_EMBEDDINGS))).search(query)
  return {
    ...recordedSearch({ search, history, now }),
    history: store,
    [Symbol.asyncDispose]() {
      opened?.[Symbol.dispose]()
      return history[Symbol.asyncDispose]()
    },
  }
}
