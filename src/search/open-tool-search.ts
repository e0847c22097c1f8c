import { join } from 'node:path'
import type { Catalog } from '#registry/registry-api'
import { loadStaticEmbedder } from './static-embedder.ts'
import { createToolSearch, type ToolSearch } from './tool-search.ts'

/** The table that the package brings: the same place seen from `src/` and from `dist/`. */
const STATIC_EMBEDDINGS = join(import.meta.dirname, '../../assets/static-embeddings')

/** The search over a catalog. It reads its table and the catalog at the first query: who never searches pays nothing. */
export function openToolSearch(catalog: Catalog): ToolSearch {
  let opened: ToolSearch | undefined
  return {
    search: (query) => (opened ??= createToolSearch(catalog, loadStaticEmbedder(STATIC_EMBEDDINGS))).search(query),
    [Symbol.dispose]: () => opened?.[Symbol.dispose](),
  }
}
