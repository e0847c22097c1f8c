import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** 230 bytes, made of the text beside it; the same place seen from `src/` and from `dist/`. */
const KERNEL = join(import.meta.dirname, '../../assets/dot-products/dot-products.wasm')
const PAGE_BYTES = 65_536
/** The kernel takes so many bytes at a time. */
const STEP = 16

/** What Node has and its types leave to browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): void }
  dots(slots: number, count: number, stride: number, query: number, out: number): void
}

/** Rows of bytes, and the dot products of one more with many of them: JavaScript alone takes fifteen times as long. */
export interface ByteRows {
  set(slot: number, bytes: Int8Array): void
  /** Sets the first rows at once, as `first` gave them. */
  setAll(bytes: Uint8Array): void
  /** The first of the rows as they stand in memory: to be copied before anything else is asked. */
  first(count: number): Uint8Array<ArrayBuffer>
  /** In the order of `slots`, whose rows must all have been set once. */
  dots(query: Int8Array, slots: Int32Array): Int32Array
}

let compiled: object | undefined

export function createByteRows(dimensions: number): ByteRows {
  compiled ??= new WebAssembly.Module(readFileSync(KERNEL))
  const { memory, dots } = new WebAssembly.Instance(compiled).exports as Kernel
  const stride = Math.ceil(dimensions / STEP) * STEP
  let rows = 0
  const makeRoom = (bytes: number): void => {
    const missing = bytes - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
  }
  return {
    set(slot, bytes) {
      rows = Math.max(rows, slot + 1)
      makeRoom(rows * stride)
      new Int8Array(memory.buffer, slot * stride, stride).fill(0).set(bytes)
    },
    setAll(bytes) {
      rows = Math.max(rows, bytes.length / stride)
      makeRoom(bytes.length)
      new Uint8Array(memory.buffer).set(bytes)
    },
    first: (count) => new Uint8Array(memory.buffer, 0, Math.min(count, rows) * stride),
    dots(query, slots) {
      // What is asked stands behind the rows and is gone with the next row.
      const queryAt = rows * stride
      const slotsAt = queryAt + stride
      const outAt = slotsAt + slots.byteLength
      makeRoom(outAt + slots.byteLength)
      new Int8Array(memory.buffer, queryAt, stride).fill(0).set(query)
      new Int32Array(memory.buffer, slotsAt, slots.length).set(slots)
      dots(slotsAt, slots.length, stride, queryAt, outAt)
      return new Int32Array(memory.buffer, outAt, slots.length)
    },
  }
}
