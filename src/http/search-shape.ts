import type { SearchAnswer, SearchRequest } from '#contract/search'
import type { FoundTool } from '#search/tool-search'
import type { NeuralProgress } from '#search/vector-filler'
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
  const { server, category, tag, read_only: readOnly } = request
  const filter = { server, category, tag, readOnly }
  const asked = { text: query, mode, principal, namespace, filter, limit, threshold, surface: 'rest' } as const
  const answer = await search.search(asked)
  const shown = answer.found.map((hit) => ({ hit, body: toolBody(hit.tool) }))
  return {
    search_id: answer.id,
    query,
    search_type: mode,
    results: shown.map(({ body, hit }) => ({ ...body, ...scoresOf(hit) })),
    tools: shown.map(({ body }) => body),
    total: answer.total,
    weights: answer.weights,
    parts: [...answer.parts],
    nearest_servers: [...answer.nearest],
    vectors: vectorsOf(search.progress()),
    cached: answer.cached,
    search_time: (performance.now() - startedAt) / 1000,
    timestamp: isoTime(now()),
  }
}

function vectorsOf(progress: NeuralProgress | undefined): SearchAnswer['vectors'] {
  if (!progress) return null
  const { model, known, wanted, failure = null } = progress
  return { model, known, wanted, failure }
}

function scoresOf({ score, keyword, semantic, rerank }: FoundTool) {
  return { score, keyword_score: keyword, semantic_score: semantic, rerank_score: rerank ?? null }
}
