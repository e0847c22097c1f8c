import { clausesOf } from './clauses.ts'
import { termsOf, wordsOf } from './analyser.ts'
import type { SearchDocument } from './document.ts'
import { createKeywordIndex, type KeywordScope } from './keyword-index.ts'
import type { Embedder } from './static-embedder.ts'

export type SearchMode = 'keyword' | 'semantic' | 'hybrid'

/** What the parts of a hybrid score weigh. */
const WEIGHTS = { keyword: 0.35, semantic: 0.65 } as const
/** A step of the task counts as much as the whole of it. */
const CLAUSE_SHARE = 0.5
const SENTENCE_CHARS_MAX = 240

/** A found slot. The parts are of 0 to 1, the best of the query being 1. */
export interface Hit {
  readonly slot: number
  readonly score: number
  readonly keyword: number
  readonly semantic: number
}

/** What may be found: nothing else is scored or counted. */
export interface SearchScope extends KeywordScope {}

/** Finds tools by words and by meaning. */
export interface SearchIndex {
  add(slot: number, document: SearchDocument): void
  remove(slot: number): void
  scope(slots: ReadonlySet<number>): SearchScope
  /** All slots of the scope that have anything to do with the query, the best first. */
  search(query: string, mode: SearchMode, scope: SearchScope): Hit[]
}

export function createSearchIndex(embedder: Embedder): SearchIndex {
  const keywords = createKeywordIndex()
  const vectors = new Map<number, Float32Array>()
  const keywordScores = (text: string, scope: SearchScope) => keywords.scores(termsOf(text), scope)
  const semanticScores = (text: string, { slots }: SearchScope) => nearness(embedder.embed(text), vectors, slots)
  return {
    add(slot, document) {
      keywords.add(slot, document)
      vectors.set(slot, embedder.embed(viewOf(document)))
    },
    remove(slot) {
      keywords.remove(slot)
      vectors.delete(slot)
    },
    scope: (slots) => keywords.scope(slots),
    search(query, mode, scope) {
      const clauses = clausesOf(query)
      const part = (scores: (text: string, scope: SearchScope) => Map<number, number>, floor?: number) =>
        withClauses(
          relative(scores(query, scope), floor),
          clauses.map((clause) => relative(scores(clause, scope), floor)),
        )
      const keyword = mode === 'semantic' ? NOTHING : part(keywordScores, 0)
      const semantic = mode === 'keyword' ? NOTHING : part(semanticScores)
      return fused(keyword, semantic, mode)
    },
  }
}

const NOTHING: ReadonlyMap<number, number> = new Map()

/** What a tool is about in few words: more of them blur the vector. */
function viewOf({ server, name, description }: SearchDocument): string {
  const sentence = /^[\s\S]*?[.!?。！？](?=\s|$)/u.exec(description)?.[0] ?? description
  return [server, wordsOf(name).join(' '), sentence.slice(0, SENTENCE_CHARS_MAX)].join(' ')
}

function nearness(
  query: Float32Array,
  vectors: ReadonlyMap<number, Float32Array>,
  slots: ReadonlySet<number>,
): Map<number, number> {
  const scores = new Map<number, number>()
  for (const slot of slots) {
    const vector = vectors.get(slot)
    if (!vector) continue
    let dot = 0
    for (let i = 0; i < query.length; i += 1) dot += (query[i] ?? 0) * (vector[i] ?? 0)
    scores.set(slot, dot)
  }
  return scores
}

/** Between 0 for the worst (or the floor) and 1 for the best. */
function relative(scores: ReadonlyMap<number, number>, floor?: number): Map<number, number> {
  let best = -Infinity
  let worst = Infinity
  for (const score of scores.values()) {
    if (score > best) best = score
    if (score < worst) worst = score
  }
  const from = floor ?? worst
  const range = best - from
  return new Map([...scores].map(([slot, score]) => [slot, range > 0 ? (score - from) / range : Number(score > 0)]))
}

function withClauses(whole: Map<number, number>, clauses: readonly ReadonlyMap<number, number>[]): Map<number, number> {
  if (clauses.length === 0) return whole
  const slots = new Set([...whole.keys(), ...clauses.flatMap((clause) => [...clause.keys()])])
  return new Map(
    [...slots].map((slot) => {
      const best = Math.max(...clauses.map((clause) => clause.get(slot) ?? 0))
      return [slot, (1 - CLAUSE_SHARE) * (whole.get(slot) ?? 0) + CLAUSE_SHARE * best]
    }),
  )
}

function fused(keyword: ReadonlyMap<number, number>, semantic: ReadonlyMap<number, number>, mode: SearchMode): Hit[] {
  const slots = mode === 'keyword' ? keyword.keys() : semantic.keys()
  const weights = mode === 'hybrid' ? WEIGHTS : { keyword: 1, semantic: 1 }
  const hits = Array.from(slots, (slot) => {
    const parts = { keyword: keyword.get(slot) ?? 0, semantic: semantic.get(slot) ?? 0 }
    return { slot, ...parts, score: weights.keyword * parts.keyword + weights.semantic * parts.semantic }
  })
  return hits.sort((a, b) => b.score - a.score || a.slot - b.slot)
}
