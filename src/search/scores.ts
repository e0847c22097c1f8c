/** Scores by place. NaN stands for a place that was not looked at. */
export type Scores = Float64Array

interface Relation {
  /** What becomes 0, instead of the worst. */
  readonly floor?: number
  /** What the best is, where that is known. */
  readonly best?: number
  /** What it becomes, instead of 1. */
  readonly top?: number
}

/** Makes the scores themselves be between 0 for the worst and 1 for the best of the query. */
export function relative(scores: Scores, { floor, best, top = 1 }: Relation = {}): Scores {
  const from = floor ?? worstOf(scores)
  const range = (best ?? bestOf(scores)) - from
  if (!(range > 0)) return scores.fill(0)
  for (let place = 0; place < scores.length; place += 1) {
    const above = (scores[place] as number) - from
    scores[place] = above < 0 ? 0 : (above / range) * top
  }
  return scores
}

export function rangeOf(scores: Scores): number {
  return Math.max(0, bestOf(scores) - worstOf(scores))
}

export function bestOf(scores: Scores): number {
  let best = -Infinity
  for (let place = 0; place < scores.length; place += 1)
    if ((scores[place] as number) > best) best = scores[place] as number
  return best
}

function worstOf(scores: Scores): number {
  let worst = Infinity
  for (let place = 0; place < scores.length; place += 1)
    if ((scores[place] as number) < worst) worst = scores[place] as number
  return worst
}

/** What a step of the task says counts `share`, the whole of it the rest. The scores of the whole become those of both. */
export function withSteps(whole: Scores, [best, ...others]: readonly Scores[], share: number): Scores {
  if (!best) return whole
  for (const step of others)
    for (let place = 0; place < best.length; place += 1)
      if ((step[place] as number) > (best[place] as number)) best[place] = step[place] as number
  return mixed(whole, best, { share, into: whole })
}

interface Mixture {
  /** Of the other one. */
  readonly share: number
  /** One of the two, or a third. */
  readonly into: Scores
}

export function mixed(one: Scores, other: Scores, { share, into }: Mixture): Scores {
  for (let place = 0; place < into.length; place += 1)
    into[place] = (1 - share) * (one[place] as number) + share * (other[place] as number)
  return into
}

/** The places of the `count` best scores above 0, the best first; of equals the first in place. */
export function bestPlaces(scores: Scores, count: number): number[] {
  const best: number[] = []
  const scoreAt = (at: number): number => scores[best[at] as number] as number
  let last = 0
  for (let place = 0; place < scores.length; place += 1) {
    const score = scores[place] as number
    if (!(score > last)) continue
    let at = Math.min(best.length, count - 1)
    for (; at > 0 && scoreAt(at - 1) < score; at -= 1) best[at] = best[at - 1] as number
    best[at] = place
    if (best.length === count) last = scoreAt(count - 1)
  }
  return best
}
