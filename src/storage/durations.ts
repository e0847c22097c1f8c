/** Times are of the newest rows only, so that a busy tool's numbers cost no more than a rare one's. */
export const TIMES_WINDOW = 10_000

/** Average and exact nearest-rank percentiles of times in milliseconds; nothing without times. */
export function durationSummary(durations: Iterable<number>) {
  const sorted = Float64Array.from(durations).sort()
  if (sorted.length === 0) return {}
  const percentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  const averageMs = sorted.reduce((sum, durationMs) => sum + durationMs, 0) / sorted.length
  return { averageMs, p50Ms: percentile(0.5), p95Ms: percentile(0.95), p99Ms: percentile(0.99) }
}
