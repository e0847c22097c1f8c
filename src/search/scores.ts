/** Scores by place. NaN stands for a place that was not looked at. */
export type Scores = Float64Array

/** Between 0 for the worst (or `floor`) and 1 for the best of the query. */
export function relative(scores: Scores, floor?: number): Scores {
  let best = -Infinity
  let worst = Infinity
  for (const score of scores) {
    if (score > best) best = score
    if (score < worst) worst = score
  }
  const from = floor ?? worst
  const range = best - from
  return scores.map((score) => (range > 0 ? Math.max(0, score - from) / range : 0))
}

/** What a step of the task says counts `share`, the whole of it the rest. */
export function withSteps(whole: Scores, steps: readonly Scores[], share: number): Scores {
  if (steps.length === 0) return whole
  return whole.map((score, place) => {
    let best = 0
    for (const step of steps) best = Math.max(best, step[place] ?? 0)
    return (1 - share) * score + share * best
  })
}

/** The places of the `count` best scores above 0, the best first; of equals the first in place. */
export function bestPlaces(scores: Scores, count: number): number[] {
  const best: number[] = []
  for (let place = 0; place < scores.length; place += 1) {
    const score = scores[place] ?? 0
    const last = best.length < count ? 0 : (scores[best.at(-1) ?? 0] ?? 0)
    if (!(score > last)) continue
    let at = best.length < count ? best.length : count - 1
    while (at > 0 && (scores[best[at - 1] ?? 0] ?? 0) < score) {
      best[at] = best[at - 1] ?? 0
      at -= 1
    }
    best[at] = place
  }
  return best
}
