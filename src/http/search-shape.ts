import type { SearchAnswer, SearchRequest } from '#contract/search'
import { objectAt } from '#kernel/json'
import type { CatalogTool } from '#registry/catalog-view'
import type { FoundTool } from '#search/tool-search'
import type { ApiContext, ApiRequest } from './endpoint.ts'
import { isoTime } from './page.ts'
import { toolBody } from './tool-shape.ts'

/** Searches as the request says, and shapes the answer. */
export async function searchAnswerOf(
  { search, now }: ApiContext,
  { principal }: Pick<ApiRequest, 'principal'>,
  request: SearchRequest,
): Promise<SearchAnswer> {
  const startedAt = performance.now()
  const { query, search_type: mode, max_results: limit, similarity_threshold: threshold, namespace } = request
  const mayFind = (tool: CatalogTool): boolean => fits(tool, request)
  const asked = { text: query, mode, namespace, limit, threshold, mayFind, principal, surface: 'rest' } as const
  const { id, found, total } = await search.search(asked)
  return {
    search_id: id,
    query,
    search_type: mode,
    results: found.map(resultOf),
    tools: found.map(({ tool }) => toolBody(tool)),
    total,
    search_time: (performance.now() - startedAt) / 1000,
    timestamp: isoTime(now()),
  }
}

function resultOf({ tool, score, keyword, semantic }: FoundTool): SearchAnswer['results'][number] {
  return { ...toolBody(tool), score, keyword_score: keyword, semantic_score: semantic }
}

function fits(tool: CatalogTool, { server, category, tag, read_only: readOnly }: SearchRequest): boolean {
  return (
    (server === undefined || tool.server === server) &&
    (category === undefined || tool.category === category) &&
    (tag === undefined || tool.tags.includes(tag)) &&
    (readOnly === undefined || isReadOnly(tool) === readOnly)
  )
}

function isReadOnly({ definition }: CatalogTool): boolean {
  return objectAt(definition, 'annotations')?.['readOnlyHint'] === true
}
