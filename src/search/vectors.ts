import type { PackedVector } from './vector-table.ts'

interface KeptVector extends PackedVector {
  /** Digest of the text. */
  readonly hash: string
}

/** Keeps vectors over restarts, by model and by what they stand for: a text is embedded once. */
export interface VectorStore {
  /** Those of the hashes that are kept; `now` (epoch milliseconds) is when they were last wanted. */
  find(model: string, hashes: readonly string[], now: number): Promise<readonly KeptVector[]>
  put(model: string, vectors: readonly KeptVector[], now: number): Promise<void>
  /** Removes what nobody has wanted since `before` (epoch milliseconds); answers how many. */
  prune(before: number): Promise<number>
}
