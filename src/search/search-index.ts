import { createBreath, type Breath } from './breath.ts'
import { clausesOf } from './clauses.ts'
import type { SearchDocument } from './document.ts'
import { anythingFits, evidence, fuse, type Best, type Fused, type SearchMode, type Weights } from './fusion.ts'
import { createKeywordIndex, type KeywordIndex, type PreparedScope, type WrittenKeywords } from './keyword-index.ts'
import type { NeuralSay } from './neural-tier.ts'
import { createQueryTerms } from './query-terms.ts'
import { scopeOf } from './scope.ts'
import { bestOf, bestPlaces, rangeOf, relative, withSteps, type Scores } from './scores.ts'
import { createSheets } from './sheets.ts'
import type { StaticEmbedder } from './static-embedder.ts'
import { createVectorTable, packed, type VectorTable, type WrittenVectors } from './vector-table.ts'
import { blended, type View } from './views.ts'

/** A step of the task counts as much as the whole of it. */
const STEP_SHARE = 0.5

/** A found place of the scope. The parts are of 0 to 1. */
export interface Hit {
  readonly place: number
  readonly score: number
  readonly keyword: number
  readonly semantic: number
  /** What the reranker says, where it was asked: then this is the score. */
  readonly rerank?: number
}

interface IndexQuery {
  readonly text: string
  readonly mode: SearchMode
  readonly limit: number
  /** Share of the best score below which nothing counts as found; 0 to 1. */
  readonly threshold: number
  /** Whether all of the scope has its meaning; where not, a hybrid search goes by words alone. */
  readonly hasMeaning: boolean
  /** What the neural tier says, where it does: cosines. */
  readonly neural?: Pick<NeuralSay, 'scores' | 'part'> | undefined
}

export interface Ranking {
  /** The best first. */
  readonly hits: readonly Hit[]
  /** How many fit, those beyond the limit included. */
  readonly total: number
  readonly weights: Weights
  readonly parts: Fused['parts']
  /** Where nothing fits: the places that come nearest. */
  readonly nearest: readonly number[]
}

/** What both tiers are made of: to be written, and read again. */
export interface WrittenIndex {
  readonly keywords: WrittenKeywords
  readonly vectors: WrittenVectors
  /** All slots are below. */
  readonly capacity: number
}

/** Finds tools by words and by meaning, at once and without a model. */
export interface SearchIndex {
  addWords(slot: number, document: SearchDocument): void
  /** Meaning is of a document's views. */
  addMeaning(slot: number, views: readonly View[]): void
  /** Nobody asks for the slot any more; its words are gone when it is forgotten. */
  remove(slot: number): void
  /** Only then a removed slot may be used again. */
  forget(slots: ReadonlySet<number>): void
  /** What is of these slots; undefined when something else has come or gone meanwhile. */
  written(slots: ReadonlySet<number>): Promise<WrittenIndex | undefined>
  prepare(slots: Int32Array): PreparedScope
  /** Gives way to other work between its steps. */
  search(query: IndexQuery, scope: PreparedScope, breath: Breath): Promise<Ranking>
}

export function createSearchIndex(embedder: StaticEmbedder, written?: WrittenIndex): SearchIndex {
  const keywords = createKeywordIndex(written?.keywords)
  const vectors = createVectorTable(embedder.dimensions, written?.vectors)
  const sheetsOf = createSheets()
  let capacity = written?.capacity ?? 0
  let changes = 0
  return {
    addWords(slot, document) {
      changes += 1
      capacity = Math.max(capacity, slot + 1)
      keywords.add(slot, document)
    },
    addMeaning(slot, views) {
      changes += 1
      vectors.set(slot, packed(blended(views.map(({ text, weight }) => ({ vector: embedder.embed(text), weight })))))
    },
    remove(slot) {
      changes += 1
      vectors.delete(slot)
    },
    forget(slots) {
      changes += 1
      keywords.forget(slots)
    },
    async written(slots) {
      const before = changes
      const words = await keywords.written(slots, createBreath())
      return before === changes ? { keywords: words, vectors: vectors.written(capacity), capacity } : undefined
    },
    prepare(slots) {
      const scope = scopeOf(slots, capacity)
      return { ...scope, averages: keywords.averages(scope) }
    },
    async search(query, scope, breath) {
      const { text, mode } = query
      using sheets = sheetsOf(scope.slots.length)
      const texts = [text, ...clausesOf(text)]
      const asked = { embedder, keywords, vectors, scope, breath, blank: sheets.blank }
      const keyword = await keywordPart(texts, mode, asked)
      const wantsMeaning = mode !== 'keyword' && query.hasMeaning
      const meaning = wantsMeaning ? await staticPart(texts, asked) : undefined
      const neural = wantsMeaning ? query.neural?.scores : undefined
      const isRemote = query.neural?.part === 'remote'
      // What a cosine is worth depends on the model, and only the embedded one is known.
      const nearest = neural && !isRemote ? bestOf(neural) : undefined
      const best = { keyword: keyword.best, static: meaning?.best ?? 1, neural: nearest }
      const tiers = {
        keyword: keyword.scores,
        static: meaning?.scores,
        neural: neural && relative(neural),
      }
      await breath.take()
      const fused = fuse(tiers, sheets.blank)
      const parts = fused.parts.map((part) => (part === 'neural' && isRemote ? 'remote' : part))
      await breath.take()
      const ranking = ranked(query, { ...fused, parts }, best)
      // Who makes the answer of it has a turn of his own.
      await breath.take()
      return ranking
    },
  }
}

interface Asked {
  readonly embedder: StaticEmbedder
  readonly keywords: KeywordIndex
  readonly vectors: VectorTable
  readonly scope: PreparedScope
  readonly breath: Breath
  /** Zeros to write scores on. */
  blank(): Scores
}

/** What a tier says, and the best of the whole text before it was made relative. */
interface Part {
  readonly scores: Scores
  readonly best: number
}

/**
 * Who asks for keywords means these words; in a hybrid search what is near to them counts, too. Who asks for meaning only
 * needs to know whether any of the words is there.
 */
async function keywordPart(
  texts: readonly string[],
  mode: SearchMode,
  asked: Asked,
): Promise<Pick<Part, 'best'> & Partial<Part>> {
  const { embedder, keywords, scope, breath, blank } = asked
  const size = scope.slots.length
  const termsOf = createQueryTerms(mode === 'hybrid' ? embedder.near : () => [])
  using query = keywords.query(scope)
  const best = query.ownBest(termsOf(texts[0] ?? ''))
  if (mode === 'semantic') return { best }
  const [whole = blank(), ...steps] = await breath.map(texts, (text) => {
    const scores = blank()
    const top = query.score(termsOf(text), scores)
    return relative(scores, { floor: 0, best: top, top: evidence(top, size) })
  })
  return { scores: withSteps(whole, steps, STEP_SHARE), best }
}

/** A step that has no tool of its own says less than one that has: its scores keep more of their narrow range. */
async function staticPart(texts: readonly string[], asked: Asked): Promise<Part> {
  const { embedder, vectors, scope, breath, blank } = asked
  const [whole = blank(), ...found] = await breath.map(texts, (text) =>
    vectors.dots(embedder.embed(text), scope, blank()),
  )
  const best = bestOf(whole)
  const ranges = found.map(rangeOf)
  const widest = Math.max(...ranges)
  const steps = found.map((scores, step) => relative(scores, { top: Math.sqrt((ranges[step] as number) / widest) }))
  return { scores: withSteps(relative(whole), steps, STEP_SHARE), best }
}

function ranked({ limit, threshold }: IndexQuery, fused: Fused, best: Best): Ranking {
  const { scores, keyword, semantic, weights, parts } = fused
  const places = bestPlaces(scores, limit)
  if (!anythingFits(best, scores.length)) return { hits: [], total: 0, weights, parts, nearest: places }
  const least = (scores[places[0] ?? -1] ?? 0) * threshold
  const fitting = places.filter((place) => (scores[place] ?? 0) >= least)
  let total = 0
  for (let place = 0; place < scores.length; place += 1) {
    const score = scores[place] as number
    if (score > 0 && score >= least) total += 1
  }
  const hits = fitting.map((place) => ({
    place,
    score: scores[place] ?? 0,
    keyword: keyword[place] ?? 0,
    semantic: semantic[place] ?? 0,
  }))
  return { hits, total, weights, parts, nearest: hits.length === 0 ? places : [] }
}
