import { mixed, type Scores } from './scores.ts'

/** How the tiers are weighed: with the neural one, and as long as it has nothing to say. */
const FULL = { keyword: 0.3, static: 0.2, neural: 0.5 }
const INSTANT = { keyword: 0.35, static: 0.65, neural: 0 }

export type SearchMode = 'keyword' | 'semantic' | 'hybrid'
/** A tier that had its say in an answer; `remote` is the neural one with a provider's vectors. */
type SearchPart = 'keyword' | 'static' | 'neural' | 'remote' | 'rerank'

/** What a score is made of: `score = keyword · keyword score + semantic · semantic score`. */
export interface Weights {
  readonly keyword: number
  readonly semantic: number
}

/** What the tiers say, each of 0 to 1 by place. A mode leaves the tiers away that it does not ask. */
export interface TierScores {
  readonly keyword?: Scores | undefined
  readonly static?: Scores | undefined
  readonly neural?: Scores | undefined
}

export interface Fused {
  readonly scores: Scores
  readonly keyword: Scores
  readonly semantic: Scores
  readonly weights: Weights
  readonly parts: readonly SearchPart[]
}

/** `blank` gives zeros to write on; the neural scores become the semantic ones. */
export function fuse(tiers: TierScores, blank: () => Scores): Fused {
  const keyword = tiers.keyword ?? blank()
  const semantic = semanticOf(tiers, blank)
  const weights = weightsOf(tiers)
  const parts = (['keyword', 'static', 'neural'] as const).filter((part) => tiers[part] !== undefined)
  const alone = weights.semantic === 0 ? keyword : weights.keyword === 0 ? semantic : undefined
  const scores = alone ?? mixed(keyword, semantic, { share: weights.semantic, into: blank() })
  return { scores, keyword, semantic, weights, parts }
}

function weightsOf({ keyword, static: meaning, neural }: TierScores): Weights {
  if (!meaning) return { keyword: 1, semantic: 0 }
  if (!keyword) return { keyword: 0, semantic: 1 }
  const tiers = neural ? FULL : INSTANT
  return { keyword: tiers.keyword, semantic: tiers.static + tiers.neural }
}

/** A tool whose neural vector is still to come is judged by the static one alone. */
function semanticOf({ static: meaning, neural }: TierScores, blank: () => Scores): Scores {
  if (!meaning) return blank()
  if (!neural) return meaning
  for (let place = 0; place < neural.length; place += 1)
    if (Number.isNaN(neural[place])) neural[place] = meaning[place] as number
  return mixed(meaning, neural, { share: FULL.neural / (FULL.static + FULL.neural), into: neural })
}

/**
 * What the best keyword hit is worth, 0 to 1: a single common word that matches says little. Scores of words are
 * information; that of `log(1 + size)` singles out one tool.
 */
export function evidence(best: number, size: number): number {
  return best === 0 ? 0 : Math.min(1, (2.5 * best) / (best + 3 * Math.log(1 + size)))
}

/** What the tiers found at best, before anything was made relative. */
export interface Best {
  /** Of the query's own words. */
  readonly keyword: number
  /** Cosines. */
  readonly static: number
  readonly neural: number | undefined
}

/** With fewer tools than this nearly everything looks far away. */
const JUDGED_FROM = 20

/**
 * Whether anything in the scope has to do with the query. The limits are low: of 941 queries of four public sets none is lost,
 * while most gibberish and much that is off topic finds nothing (docs/reference/search-quality.md).
 */
export function anythingFits({ keyword, static: meaning, neural }: Best, size: number): boolean {
  if (size < JUDGED_FROM) return true
  const share = keyword / Math.log(1 + size)
  if (neural === undefined) return !((keyword === 0 && meaning < 0.35) || (meaning < 0.22 && share < 0.5))
  return !((keyword === 0 && neural < 0.35) || (neural < 0.25 && meaning < 0.25 && share < 0.4))
}
