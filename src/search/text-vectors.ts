import { AppError } from '#kernel/errors'
import { digest } from '#kernel/seal'
import type { Embedder } from './embedder.ts'
import { packed, unpacked } from './vector-table.ts'
import type { VectorStore } from './vectors.ts'

interface TextVectorDeps {
  readonly embedder: Embedder
  readonly store: VectorStore
  /** Epoch milliseconds. */
  now(): number
}

/** Gives the vector of each text: kept ones from the store, others from the embedder, which are kept from then on. */
export function createTextVectors({ embedder, store, now }: TextVectorDeps) {
  return async function vectorsOf(
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Float32Array>> {
    const textByHash = new Map(texts.map((text) => [digest(text), text]))
    const kept = await store.find(embedder.model, [...textByHash.keys()], now())
    const vectors = new Map(kept.map((vector) => [textByHash.get(vector.hash) ?? '', unpacked(vector)]))
    const missing = [...textByHash.values()].filter((text) => !vectors.has(text))
    for (let from = 0; from < missing.length; from += embedder.batch) {
      const batch = missing.slice(from, from + embedder.batch)
      const made = await embedder.embed(batch, signal)
      for (const [index, text] of batch.entries()) vectors.set(text, expected(made[index]))
    }
    const fresh = missing.map((text) => ({ hash: digest(text), ...packed(expected(vectors.get(text))) }))
    if (fresh.length > 0) await store.put(embedder.model, fresh, now())
    return vectors
  }
}

function expected(vector: Float32Array | undefined): Float32Array {
  if (!vector) throw new AppError('unavailable', 'The embedding model gave fewer vectors than it got texts')
  return vector
}
