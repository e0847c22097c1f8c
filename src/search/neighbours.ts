/** A word of nearly the same meaning. */
export interface Neighbour {
  readonly word: string
  /** Cosine. */
  readonly nearness: number
}

type NearTokens = ReadonlyMap<number, readonly { readonly token: number; readonly nearness: number }[]>

const NEARNESS_STEP = 1 / 65_535

/**
 * Little-endian: where each token's neighbours begin (32 bits each, one more than there are tokens), then the neighbours, a
 * token and a cosine of 16 bits each.
 */
export function packedNeighbours(near: NearTokens, size: number): Uint8Array {
  const starts = new Uint32Array(size + 1)
  const pairs: number[] = []
  for (let token = 0; token < size; token += 1) {
    for (const other of near.get(token) ?? []) pairs.push(other.token, Math.round(other.nearness / NEARNESS_STEP))
    starts[token + 1] = pairs.length
  }
  return Buffer.concat([Buffer.from(starts.buffer), Buffer.from(Uint16Array.from(pairs).buffer)])
}

/** Reads what `packedNeighbours` made: the neighbours of a word, the nearest first. */
export function createNeighbours(packed: Uint8Array, vocabulary: ReadonlyMap<string, number>) {
  const words = [...vocabulary.keys()]
  const { buffer, byteOffset } = packed
  const starts = new Uint32Array(buffer, byteOffset, words.length + 1)
  const pairs = new Uint16Array(buffer, byteOffset + starts.byteLength)
  return function neighboursOf(word: string): readonly Neighbour[] {
    const token = vocabulary.get(word)
    if (token === undefined) return []
    const found: Neighbour[] = []
    for (let at = starts[token] ?? 0; at < (starts[token + 1] ?? 0); at += 2) {
      found.push({ word: words[pairs[at] ?? 0] ?? '', nearness: (pairs[at + 1] ?? 0) * NEARNESS_STEP })
    }
    return found
  }
}
