import { meaningfulWords } from './analyser.ts'
import type { Neighbour } from './neighbours.ts'

/** A near word is worth less than the word itself, even the nearest. */
const NEAR_WORTH = 0.7

/** A term, and those that say nearly the same. */
export interface QueryTerm {
  readonly term: string
  readonly near: readonly { readonly term: string; readonly weight: number }[]
}

/**
 * Gives the terms of a text, each once, with those of nearly the same meaning. Of several texts of one query the same words
 * have the same terms: equal ones are one object.
 */
export function createQueryTerms(near: (word: string) => readonly Neighbour[]): (text: string) => QueryTerm[] {
  const made = new Map<string, QueryTerm>()
  const queryTermOf = (term: string, word: string): QueryTerm => {
    const key = `${term} ${word}`
    const known = made.get(key) ?? { term, near: nearTerms(term, near(word)) }
    made.set(key, known)
    return known
  }
  return function termsOf(text) {
    const terms = new Map<string, QueryTerm>()
    for (const [word, own] of meaningfulWords(text))
      for (const term of own) if (!terms.has(term)) terms.set(term, queryTermOf(term, word))
    return [...terms.values()]
  }
}

function nearTerms(term: string, neighbours: readonly Neighbour[]): QueryTerm['near'] {
  const weights = new Map<string, number>()
  for (const { word, nearness } of neighbours)
    for (const other of meaningfulWords(word).get(word) ?? [])
      if (other !== term && !weights.has(other)) weights.set(other, nearness * NEAR_WORTH)
  return Array.from(weights, ([other, weight]) => ({ term: other, weight }))
}
