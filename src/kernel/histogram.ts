/** Upper bounds in seconds. A tool answers in milliseconds or thinks for minutes. */
const SECONDS_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
]

/** Counts durations by size; one costs a few additions. */
export class Histogram {
  readonly bounds = SECONDS_BOUNDS
  /** How many fell into each bucket alone; the last is for all above the last bound. */
  readonly counts = new Float64Array(SECONDS_BOUNDS.length + 1)
  sum = 0

  add(seconds: number): void {
    let at = 0
    while (at < SECONDS_BOUNDS.length && seconds > (SECONDS_BOUNDS[at] ?? 0)) at += 1
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += seconds
  }

  get count(): number {
    return this.counts.reduce((sum, each) => sum + each, 0)
  }
}
