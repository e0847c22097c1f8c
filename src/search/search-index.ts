import { termsOf } from './analyser.ts'
import type { Breath } from './breath.ts'
import { clausesOf } from './clauses.ts'
import type { SearchDocument } from './document.ts'
import { createKeywordIndex } from './keyword-index.ts'
import { scopeOf, type Scope } from './scope.ts'
import { bestPlaces, relative, withSteps, type Scores } from './scores.ts'
import type { StaticEmbedder } from './static-embedder.ts'
import { createVectorTable, packed } from './vector-table.ts'
import { blended, viewsOf } from './views.ts'

export type SearchMode = 'keyword' | 'semantic' | 'hybrid'
/** A tier that had its say in an answer. */
type SearchPart = 'keyword' | 'static' | 'neural'

/** How the tiers are weighed: with the neural one, and as long as it has nothing to say. */
const FULL = { keyword: 0.25, static: 0.25, neural: 0.5 }
const INSTANT = { keyword: 0.35, static: 0.65, neural: 0 }
/** A step of the task counts as much as the whole of it. */
const STEP_SHARE = 0.5

/** What a hybrid score is made of: `score = keyword · keyword score + semantic · semantic score`. */
interface Weights {
  readonly keyword: number
  readonly semantic: number
}

/** A found place of the scope. The parts are of 0 to 1, the best of the query being 1. */
export interface Hit {
  readonly place: number
  readonly score: number
  readonly keyword: number
  readonly semantic: number
}

interface IndexQuery {
  readonly text: string
  readonly mode: SearchMode
  readonly limit: number
  /** Share of the best score below which nothing counts as found; 0 to 1. */
  readonly threshold: number
  /** What the neural embedder says, where it does. */
  readonly neural?: Scores | undefined
}

export interface Ranking {
  /** The best first. */
  readonly hits: readonly Hit[]
  /** How many fit, those beyond the limit included. */
  readonly total: number
  readonly weights: Weights
  readonly parts: readonly SearchPart[]
  /** Where nothing fits: the places that come nearest. */
  readonly nearest: readonly number[]
}

/** A scope with what the words need to know of it. */
export interface PreparedScope extends Scope {
  readonly averages: Float64Array
}

/** Finds tools by words and by meaning, at once and without a model. */
export interface SearchIndex {
  add(slot: number, document: SearchDocument): void
  remove(slot: number): void
  prepare(slots: Int32Array): PreparedScope
  /** Gives way to other work between its steps. */
  search(query: IndexQuery, scope: PreparedScope, breath: Breath): Promise<Ranking>
}

export function createSearchIndex(embedder: StaticEmbedder): SearchIndex {
  const keywords = createKeywordIndex()
  const vectors = createVectorTable(embedder.dimensions)
  let capacity = 0
  return {
    add(slot, document) {
      capacity = Math.max(capacity, slot + 1)
      keywords.add(slot, document)
      const views = viewsOf(document)
      vectors.set(slot, packed(blended(views.map(({ text, weight }) => ({ vector: embedder.embed(text), weight })))))
    },
    remove(slot) {
      keywords.remove(slot)
      vectors.delete(slot)
    },
    prepare(slots) {
      const scope = scopeOf(slots, capacity)
      return { ...scope, averages: keywords.averages(scope) }
    },
    async search(query, scope, breath) {
      const texts = [query.text, ...clausesOf(query.text)]
      const byTexts = async (scores: (text: string) => Scores, floor?: number): Promise<Scores> => {
        const [whole = new Float64Array(), ...steps] = await breath.map(texts, (text) => relative(scores(text), floor))
        return withSteps(whole, steps, STEP_SHARE)
      }
      const nothing = new Float64Array(scope.slots.length)
      const keyword =
        query.mode === 'semantic'
          ? nothing
          : await byTexts((text) => keywords.scores(termsOf(text), scope, scope.averages), 0)
      const meaning =
        query.mode === 'keyword' ? nothing : await byTexts((text) => vectors.dots(embedder.embed(text), scope))
      return ranked(query, { keyword, static: meaning, neural: query.neural && relative(query.neural) })
    },
  }
}

interface Parts {
  readonly keyword: Scores
  readonly static: Scores
  readonly neural: Scores | undefined
}

function ranked({ mode, limit, threshold }: IndexQuery, parts: Parts): Ranking {
  const semantic = semanticOf(parts)
  const weights = weightsOf(mode, parts.neural ? FULL : INSTANT)
  const scores = semantic.map(
    (score, place) => weights.semantic * score + weights.keyword * (parts.keyword[place] ?? 0),
  )
  const places = bestPlaces(scores, limit)
  const least = (scores[places[0] ?? -1] ?? 0) * threshold
  const fitting = places.filter((place) => (scores[place] ?? 0) >= least)
  let total = 0
  for (const score of scores) if (score > 0 && score >= least) total += 1
  return {
    hits: fitting.map((place) => ({
      place,
      score: scores[place] ?? 0,
      keyword: parts.keyword[place] ?? 0,
      semantic: mode === 'keyword' ? 0 : (semantic[place] ?? 0),
    })),
    total,
    weights,
    parts: partsOf(mode, parts.neural !== undefined),
    nearest: [],
  }
}

/** A tool whose neural vector is still to come is judged by the static one alone. */
function semanticOf({ static: meaning, neural }: Parts): Scores {
  if (!neural) return meaning
  const share = FULL.static / (FULL.static + FULL.neural)
  return meaning.map((score, place) => {
    const other = neural[place] ?? Number.NaN
    return Number.isNaN(other) ? score : share * score + (1 - share) * other
  })
}

function weightsOf(mode: SearchMode, tiers: typeof FULL): Weights {
  if (mode === 'keyword') return { keyword: 1, semantic: 0 }
  if (mode === 'semantic') return { keyword: 0, semantic: 1 }
  return { keyword: tiers.keyword, semantic: tiers.static + tiers.neural }
}

function partsOf(mode: SearchMode, hasNeural: boolean): SearchPart[] {
  const semantic: SearchPart[] = hasNeural ? ['static', 'neural'] : ['static']
  if (mode === 'keyword') return ['keyword']
  return mode === 'semantic' ? semantic : ['keyword', ...semantic]
}
