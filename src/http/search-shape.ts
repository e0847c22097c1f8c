import type { SearchAnswer, SearchRequest } from '#contract/search'
import type { FoundTool } from '#search/tool-search'
import type { NeuralProgress } from '#search/vector-filler'
import { ReadyText, type ApiContext, type ApiRequest } from './endpoint.ts'
import { isoTime } from './page.ts'
import { toolText, withMembers } from './tool-shape.ts'

type ToolBody = SearchAnswer['tools'][number]
type Scores = Omit<SearchAnswer['results'][number], keyof ToolBody>

/** Searches as the request says, and shapes the answer. */
export async function searchAnswerOf(
  { search, now }: ApiContext,
  { principal }: Pick<ApiRequest, 'principal'>,
  request: SearchRequest,
): Promise<ReadyText> {
  const startedAt = performance.now()
  const { query, search_type: mode, max_results: limit, similarity_threshold: threshold, namespace } = request
  const { server, category, tag, read_only: readOnly } = request
  const filter = { server, category, tag, readOnly }
  const asked = { text: query, mode, principal, namespace, filter, limit, threshold, surface: 'rest' } as const
  const answer = await search.search(asked)
  return answerText(answer.found, {
    search_id: answer.id,
    query,
    search_type: mode,
    total: answer.total,
    weights: answer.weights,
    parts: [...answer.parts],
    nearest_servers: [...answer.nearest],
    vectors: vectorsOf(search.progress()),
    cached: answer.cached,
    search_time: (performance.now() - startedAt) / 1000,
    timestamp: isoTime(now()),
  })
}

/** Each tool stands in it twice, with its scores and without, and is the greater part of it: it is written once. */
function answerText(found: readonly FoundTool[], rest: Omit<SearchAnswer, 'results' | 'tools'>): ReadyText {
  const shown = found.map((hit) => ({ hit, text: toolText(hit.tool) }))
  const results = shown.map(({ hit, text }) => withMembers(text, JSON.stringify(scoresOf(hit))))
  const tools = shown.map(({ text }) => text)
  return new ReadyText(
    withMembers(JSON.stringify(rest), `{"results":[${results.join(',')}],"tools":[${tools.join(',')}]}`),
  )
}

function vectorsOf(progress: NeuralProgress | undefined): SearchAnswer['vectors'] {
  if (!progress) return null
  const { model, known, wanted, failure = null } = progress
  return { model, known, wanted, failure }
}

function scoresOf({ score, keyword, semantic, rerank }: FoundTool): Scores {
  return { score, keyword_score: keyword, semantic_score: semantic, rerank_score: rerank ?? null }
}
