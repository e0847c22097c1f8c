import type { Scope } from './scope.ts'

const STEP = 127
const ROWS_AT_FIRST = 256

/** A vector of length one in a quarter of the space: bytes, and what one of them is worth. */
export interface PackedVector {
  readonly bytes: Int8Array
  readonly scale: number
}

/** Vectors of length one by slot; their dot products with a query's vector say how near they are to it. */
export interface VectorTable {
  set(slot: number, vector: PackedVector): void
  delete(slot: number): void
  /** Whether at least this share of the scope has vectors. */
  covers(scope: Scope, share: number): boolean
  /** By place of the scope; NaN where a slot has no vector. */
  dots(query: Float32Array, scope: Scope): Float64Array
}

export function packed(vector: Float32Array): PackedVector {
  let largest = 0
  for (const value of vector) largest = Math.max(largest, Math.abs(value))
  const scale = largest / STEP
  return { scale, bytes: Int8Array.from(vector, (value) => (scale === 0 ? 0 : Math.round(value / scale))) }
}

export function unpacked({ bytes, scale }: PackedVector): Float32Array {
  return Float32Array.from(bytes, (byte) => byte * scale)
}

export function createVectorTable(dimensions: number): VectorTable {
  let rows = new Int8Array(dimensions * ROWS_AT_FIRST)
  /** NaN for a slot without a vector. */
  let scales = new Float32Array(ROWS_AT_FIRST).fill(Number.NaN)
  const has = (slot: number): boolean => !Number.isNaN(scales[slot] ?? Number.NaN)
  const makeRoom = (slot: number): void => {
    if (slot < scales.length) return
    const capacity = Math.max(slot + 1, scales.length * 2)
    const [moreRows, moreScales] = [new Int8Array(capacity * dimensions), new Float32Array(capacity).fill(Number.NaN)]
    moreRows.set(rows)
    moreScales.set(scales)
    rows = moreRows
    scales = moreScales
  }
  return {
    set(slot, { bytes, scale }) {
      makeRoom(slot)
      rows.set(bytes, slot * dimensions)
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
    dots: (query, { slots }) => dotProducts(query, slots, { rows, scales }),
  }
}

interface Rows {
  readonly rows: Int8Array
  readonly scales: Float32Array
}

/** The innermost loop of the search: plain indices, no calls. */
function dotProducts(query: Float32Array, slots: Int32Array, { rows, scales }: Rows): Float64Array {
  const dimensions = query.length
  const dots = new Float64Array(slots.length)
  for (let place = 0; place < slots.length; place += 1) {
    const slot = slots[place] as number
    const from = slot * dimensions
    let dot = 0
    for (let i = 0; i < dimensions; i += 1) dot += (query[i] as number) * (rows[from + i] as number)
    dots[place] = dot * (scales[slot] ?? Number.NaN)
  }
  return dots
}
