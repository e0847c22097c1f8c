import type { CatalogTool } from '#registry/catalog-view'
import { wordsOf } from './analyser.ts'
import { documentOf } from './catalog-document.ts'
import type { Reranker } from './reranker.ts'
import type { Hit, Ranking } from './search-index.ts'

/** So many of the best are judged. */
const JUDGED_MAX = 30
const TEXT_CHARS_MAX = 1000

interface Asked {
  readonly text: string
  /** Share of the best score below which nothing counts as found; 0 to 1. */
  readonly threshold: number
}

/**
 * The ranking in the reranker's order; undefined when that has not spoken. The best 30 get its judgement as their score,
 * and those after them their own score times the lowest of these: nobody passes a tool that was judged.
 */
export async function reranked(
  reranker: Reranker,
  { text, threshold }: Asked,
  ranking: Ranking,
  tools: readonly CatalogTool[],
): Promise<Ranking | undefined> {
  const first = ranking.hits.slice(0, JUDGED_MAX)
  if (first.length === 0) return ranking
  const texts = first.map(({ place }) => textOf(tools[place]))
  const judgements = await reranker.judge(text, texts)
  if (!judgements) return undefined
  const judged = inOrder(first, judgements)
  const lowest = judged.at(-1)?.score ?? 0
  const others = ranking.hits.slice(JUDGED_MAX).map((hit) => ({ ...hit, score: hit.score * lowest }))
  return {
    ...ranking,
    ...within(threshold, [...judged, ...others], ranking.total),
    parts: [...ranking.parts, 'rerank'],
  }
}

/** The order is that of the judgements themselves: scores of 0 to 1 may be too coarse for it. */
function inOrder(hits: readonly Hit[], judgements: readonly number[]): Hit[] {
  const scores = sharesOf(judgements)
  const order = [...hits.keys()].toSorted((a, b) => (judgements[b] ?? 0) - (judgements[a] ?? 0))
  return order.flatMap((at) => {
    const [hit, score = 0] = [hits[at], scores[at]]
    return hit ? [{ ...hit, score, rerank: score }] : []
  })
}

/** What is of 0 to 1 already stays; other scales are logits, as cross-encoders give them. */
function sharesOf(judgements: readonly number[]): readonly number[] {
  const areShares = judgements.every((judgement) => judgement >= 0 && judgement <= 1)
  return areShares ? judgements : judgements.map((judgement) => 1 / (1 + Math.exp(-judgement)))
}

/** Scores fall: where one is too low, so are all that come after it, the ones that are not shown included. */
function within(threshold: number, hits: readonly Hit[], total: number): Pick<Ranking, 'hits' | 'total'> {
  const least = (hits[0]?.score ?? 0) * threshold
  const fitting = hits.filter(({ score }) => score >= least)
  return { hits: fitting, total: fitting.length < hits.length ? fitting.length : total }
}

/** What a tool says of itself, without what others asked for. */
function textOf(tool: CatalogTool | undefined): string {
  if (!tool) return ''
  const { server, name, description, parameterNames } = documentOf(tool, undefined, [])
  const parameters = parameterNames.length > 0 ? `Parameters: ${parameterNames.join(', ')}` : ''
  return [server, wordsOf(name).join(' '), description, parameters].filter(Boolean).join('. ').slice(0, TEXT_CHARS_MAX)
}
