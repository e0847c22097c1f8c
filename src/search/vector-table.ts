import { createByteRows } from './dot-products.ts'
import type { Scope } from './scope.ts'

const STEP = 127
const SLOTS_AT_FIRST = 256

/** A vector of length one in a quarter of the space: bytes, and what one of them is worth. */
export interface PackedVector {
  readonly bytes: Int8Array
  readonly scale: number
}

/** A table as it is written to a file. */
export interface WrittenVectors {
  readonly rows: Uint8Array<ArrayBuffer>
  readonly scales: Float32Array
}

/** Vectors of length one by slot; their dot products with a query's vector say how near they are to it. */
export interface VectorTable {
  set(slot: number, vector: PackedVector): void
  delete(slot: number): void
  /** Whether at least this share of the scope has vectors. */
  covers(scope: Scope, share: number): boolean
  /** By place of the scope; NaN where a slot has no vector. Written to `into`, where it is given. */
  dots(query: Float32Array, scope: Scope, into?: Float64Array): Float64Array
  /** A copy of the first of the slots. */
  written(slots: number): WrittenVectors
}

export function packed(vector: Float32Array): PackedVector {
  let largest = 0
  for (let i = 0; i < vector.length; i += 1) largest = Math.max(largest, Math.abs(vector[i] as number))
  const scale = largest / STEP
  const bytes = new Int8Array(vector.length)
  if (scale === 0) return { scale, bytes }
  const perScale = 1 / scale
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Math.round((vector[i] as number) * perScale)
  return { scale, bytes }
}

export function unpacked({ bytes, scale }: PackedVector): Float32Array {
  const vector = new Float32Array(bytes.length)
  for (let i = 0; i < vector.length; i += 1) vector[i] = (bytes[i] as number) * scale
  return vector
}

export function lengthOf(vector: Float32Array | Int8Array): number {
  let squares = 0
  for (let i = 0; i < vector.length; i += 1) squares += (vector[i] as number) ** 2
  return Math.sqrt(squares)
}

/** Makes the vector itself one of length one; that of nothing stays. */
export function normalised(vector: Float32Array): Float32Array {
  const length = lengthOf(vector)
  if (length === 0) return vector
  for (let i = 0; i < vector.length; i += 1) vector[i] = (vector[i] ?? 0) / length
  return vector
}

export function createVectorTable(dimensions: number, written?: WrittenVectors): VectorTable {
  const rows = createByteRows(dimensions)
  const nothing = new Int8Array(dimensions)
  /** NaN for a slot without a vector. */
  let scales = written?.scales.slice() ?? new Float32Array(0)
  if (written) rows.setAll(written.rows)
  const makeRoom = (slots: number): void => {
    if (slots <= scales.length) return
    const more = new Float32Array(Math.max(slots, Math.ceil(scales.length * 1.25), SLOTS_AT_FIRST)).fill(Number.NaN)
    more.set(scales)
    rows.set(more.length - 1, nothing)
    scales = more
  }
  const has = (slot: number): boolean => !Number.isNaN(scales[slot] ?? Number.NaN)
  return {
    set(slot, { bytes, scale }) {
      makeRoom(slot + 1)
      rows.set(slot, bytes)
      scales[slot] = scale
    },
    delete(slot) {
      if (slot < scales.length) scales[slot] = Number.NaN
    },
    covers({ slots }, share) {
      let missing = 0
      for (const slot of slots) if (!has(slot)) missing += 1
      return missing <= slots.length * (1 - share)
    },
    dots(query, { slots, places }, scores = new Float64Array(slots.length)) {
      makeRoom(places.length)
      const { bytes, scale } = packed(query)
      const dots = rows.dots(bytes, slots)
      for (let place = 0; place < scores.length; place += 1)
        scores[place] = (dots[place] as number) * scale * (scales[slots[place] as number] as number)
      return scores
    },
    written(slots) {
      makeRoom(slots)
      return { rows: rows.first(slots).slice(), scales: scales.slice(0, slots) }
    },
  }
}
