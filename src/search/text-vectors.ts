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
    dimensions: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Float32Array>> {
    const textByHash = new Map(texts.map((text) => [digest(text), text]))
    const model = keptAs(embedder, dimensions)
    const kept = await store.find(model, [...textByHash.keys()], now())
    const vectors = new Map(kept.map((vector) => [textByHash.get(vector.hash) ?? '', unpacked(vector)]))
    const missing = [...textByHash.values()].filter((text) => !vectors.has(text))
    for (let from = 0; from < missing.length; from += embedder.batch) {
      const batch = missing.slice(from, from + embedder.batch)
      const made = await embedder.embed(batch, signal)
      for (const [index, text] of batch.entries()) vectors.set(text, ofLength(made[index], dimensions))
    }
    const fresh = missing.map((text) => ({ hash: digest(text), ...packed(ofLength(vectors.get(text), dimensions)) }))
    if (fresh.length > 0) await store.put(model, fresh, now())
    return vectors
  }
}

/** A provider may have another model under the same name tomorrow: the length of its vectors tells some of them apart. */
function keptAs({ model, isRemote }: Embedder, dimensions: number): string {
  return isRemote ? `${model}/${dimensions}` : model
}

/** The same vector, when it can be compared with the others. */
export function ofLength(vector: Float32Array | undefined, dimensions: number | undefined): Float32Array {
  if (!vector) throw new AppError('unavailable', 'The embedding model gave fewer vectors than it got texts')
  if (dimensions === undefined || vector.length === dimensions) return vector
  throw new AppError(
    'unavailable',
    `The embedding model gives vectors of ${vector.length} numbers, those of before have ${dimensions}; a restart of the gateway computes all tools anew`,
  )
}
