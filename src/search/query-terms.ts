import { meaningfulWords } from './analyser.ts'
import type { QueryTerm } from './keyword-index.ts'
import type { Neighbour } from './neighbours.ts'

/** A near word is worth less than the word itself, even the nearest. */
const NEAR_WORTH = 0.7

/** The terms of a query, each once, with those of nearly the same meaning. */
export function queryTermsOf(text: string, near: (word: string) => readonly Neighbour[]): QueryTerm[] {
  const terms = new Map<string, QueryTerm>()
  for (const [word, own] of meaningfulWords(text))
    for (const term of own) if (!terms.has(term)) terms.set(term, { term, near: nearTerms(term, near(word)) })
  return [...terms.values()]
}

function nearTerms(term: string, neighbours: readonly Neighbour[]): QueryTerm['near'] {
  const weights = new Map<string, number>()
  for (const { word, nearness } of neighbours)
    for (const other of meaningfulWords(word).get(word) ?? [])
      if (other !== term && !weights.has(other)) weights.set(other, nearness * NEAR_WORTH)
  return Array.from(weights, ([other, weight]) => ({ term: other, weight }))
}
