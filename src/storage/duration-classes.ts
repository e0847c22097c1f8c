/** Each class is a tenth wider than the one before; the first is for all below a millisecond. */
const GROWTH = Math.log(1.1)

/** The class that a duration is counted in. */
export function durationClass(ms: number): number {
  return ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / GROWTH)
}

/** Calls of one class. */
export interface CountedDurations {
  readonly durationClass: number
  readonly calls: number
  readonly totalMs: number
}

/**
 * Average, and percentiles by nearest rank, each the mean of the class that its rank falls in: less than a tenth off, and exact
 * where all calls of the class took the same. Nothing without calls.
 */
export function countedSummary(counted: readonly CountedDurations[]) {
  const classes = counted.toSorted((one, other) => one.durationClass - other.durationClass)
  const calls = classes.reduce((sum, each) => sum + each.calls, 0)
  if (calls === 0) return {}
  const totalMs = classes.reduce((sum, each) => sum + each.totalMs, 0)
  const percentile = (share: number) => meanAt(classes, Math.ceil(share * calls))
  return { averageMs: totalMs / calls, p50Ms: percentile(0.5), p95Ms: percentile(0.95), p99Ms: percentile(0.99) }
}

/** The mean of the class that the rank falls in, counted from the shortest. */
function meanAt(classes: readonly CountedDurations[], rank: number): number {
  let before = 0
  for (const { calls, totalMs } of classes) {
    before += calls
    if (before >= rank) return totalMs / calls
  }
  return 0
}
