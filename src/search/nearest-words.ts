import { createByteRows } from './dot-products.ts'
import { lengthOf } from './vector-table.ts'

const WHOLE_WORD = /^[a-z]{3,}$/
const NEIGHBOURS_MAX = 12
const NEARNESS_MIN = 0.5

/** A token of nearly the same meaning, and the cosine between the two. */
interface NearToken {
  readonly token: number
  readonly nearness: number
}

/** For each token that is a wanted whole word: the whole words that are nearest to it, the nearest first. */
export function nearestWords(
  vocabulary: readonly string[],
  rows: Int8Array,
  isWanted: (word: string) => boolean = () => true,
): ReadonlyMap<number, readonly NearToken[]> {
  const dimensions = rows.length / vocabulary.length
  const tokens = [...vocabulary.keys()].filter((token) => WHOLE_WORD.test(vocabulary[token] ?? ''))
  const rowOf = (token: number): Int8Array => rows.subarray(token * dimensions, (token + 1) * dimensions)
  const table = createByteRows(dimensions)
  for (const [slot, token] of tokens.entries()) table.set(slot, rowOf(token))
  const slots = Int32Array.from(tokens.keys())
  const lengths = tokens.map((token) => lengthOf(rowOf(token)))
  return new Map(
    tokens.map((token, own) => {
      if (!isWanted(vocabulary[token] ?? '')) return [token, []]
      const found: NearToken[] = []
      for (const [slot, dot] of table.dots(rowOf(token), slots).entries()) {
        const nearness = dot / ((lengths[slot] ?? 0) * (lengths[own] ?? 0))
        if (nearness >= NEARNESS_MIN && slot !== own) found.push({ token: tokens[slot] ?? 0, nearness })
      }
      return [token, found.toSorted((a, b) => b.nearness - a.nearness).slice(0, NEIGHBOURS_MAX)]
    }),
  )
}
