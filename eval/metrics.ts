/** What one query's ranking is worth. `firsts` are the ranks (from 0) at which each group of equally right tools is met. */
export interface Scores {
  readonly r1: number
  readonly r3: number
  readonly r5: number
  readonly r10: number
  readonly mrr10: number
  readonly ndcg5: number
  readonly ndcg10: number
  readonly c10: number
}

export function scoresOf(firsts: readonly number[]): Scores {
  const within = (k: number): number => firsts.filter((rank) => rank < k).length / firsts.length
  const best = Math.min(...firsts)
  return {
    r1: within(1),
    r3: within(3),
    r5: within(5),
    r10: within(10),
    mrr10: best < 10 ? 1 / (best + 1) : 0,
    ndcg5: ndcg(firsts, 5),
    ndcg10: ndcg(firsts, 10),
    c10: Number(within(10) === 1),
  }
}

function gain(rank: number): number {
  return 1 / Math.log2(rank + 2)
}

/** Each group counts once, at its first hit. */
function ndcg(firsts: readonly number[], k: number): number {
  const ideal = firsts.slice(0, k).reduce((sum, _, rank) => sum + gain(rank), 0)
  return firsts.reduce((sum, rank) => sum + (rank < k ? gain(rank) : 0), 0) / ideal
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

const SAMPLES = 2000

/** The middle 95 % of the mean difference when the queries are drawn again and again (paired bootstrap). */
export function interval(differences: readonly number[]): readonly [low: number, high: number] {
  let seed = 1
  // The same draws in every run: a linear congruential generator (Numerical Recipes).
  const draw = (): number => (seed = (seed * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32
  const means = Array.from({ length: SAMPLES }, () =>
    mean(differences.map(() => differences[Math.floor(draw() * differences.length)] ?? 0)),
  ).sort((a, b) => a - b)
  return [means[Math.floor(SAMPLES * 0.025)] ?? Number.NaN, means[Math.floor(SAMPLES * 0.975)] ?? Number.NaN]
}
