import { createByteRows } from './dot-products.ts'
import { lengthOf } from './vector-table.ts'

const WHOLE_WORD = /^[a-z]{3,}$/
const NEIGHBOURS_MAX = 12
const NEARNESS_MIN = 0.5

/** A word of nearly the same meaning. */
export interface Neighbour {
  readonly word: string
  /** Cosine. */
  readonly nearness: number
}

/** Finds the neighbours of a word among the whole words of a table of vectors, the nearest first. */
export function createNeighbours(vocabulary: ReadonlyMap<string, number>, rows: Int8Array, dimensions: number) {
  const words = [...vocabulary.keys()].filter((word) => WHOLE_WORD.test(word))
  const table = createByteRows(dimensions)
  const rowOf = (word: string): Int8Array => {
    const token = vocabulary.get(word) ?? 0
    return rows.subarray(token * dimensions, (token + 1) * dimensions)
  }
  const slots = Int32Array.from(words.keys())
  const lengths = Float64Array.from(words, (word) => lengthOf(rowOf(word)))
  for (const [slot, word] of words.entries()) table.set(slot, rowOf(word))
  return function neighboursOf(word: string): readonly Neighbour[] {
    if (!WHOLE_WORD.test(word) || !vocabulary.has(word)) return []
    const row = rowOf(word)
    const length = lengthOf(row)
    const found: Neighbour[] = []
    for (const [slot, dot] of table.dots(row, slots).entries()) {
      const nearness = dot / ((lengths[slot] ?? 0) * length)
      const other = words[slot] ?? word
      if (nearness >= NEARNESS_MIN && other !== word) found.push({ word: other, nearness })
    }
    return found.toSorted((a, b) => b.nearness - a.nearness).slice(0, NEIGHBOURS_MAX)
  }
}
