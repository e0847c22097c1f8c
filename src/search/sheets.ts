import type { Scores } from './scores.ts'

/** Of searches that run at the same time so many are ready for the next. */
const KEPT_MAX = 64

/** What one search writes its scores on. */
export interface Sheets extends Disposable {
  /** Zeros, one for each place. Valid until the search ends. */
  blank(): Scores
}

/**
 * Sheets are used again: a search over 10,000 tools fills dozens of 80 kB, and given to the collector they make up a third of
 * the memory before it comes round.
 */
export function createSheets(): (size: number) => Sheets {
  let ofSize = -1
  let clean: Scores[] = []
  return function sheetsOf(size) {
    if (size !== ofSize) [ofSize, clean] = [size, []]
    const used: Scores[] = []
    return {
      blank() {
        const sheet = clean.pop()?.fill(0) ?? new Float64Array(size)
        used.push(sheet)
        return sheet
      },
      [Symbol.dispose]() {
        if (size === ofSize) clean.push(...used.slice(0, KEPT_MAX - clean.length))
      },
    }
  }
}
