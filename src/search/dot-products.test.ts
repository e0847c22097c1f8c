import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import wabt from 'wabt'
import { createByteRows } from './dot-products.ts'

const FOLDER = join(import.meta.dirname, '../../assets/dot-products')

test('the kernel that is shipped is made of the text that is read', async () => {
  const { parseWat } = await wabt()
  const text = readFileSync(join(FOLDER, 'dot-products.wat'), 'utf8')
  const { buffer } = parseWat('dot-products.wat', text, { simd: true }).toBinary({})
  expect(readFileSync(join(FOLDER, 'dot-products.wasm')).equals(buffer)).toBe(true)
})

test('dot products are exact, for any number of dimensions, and rows stay what they are', () => {
  const byte = fc.integer({ min: -127, max: 127 })
  const shape = fc.integer({ min: 1, max: 70 }).chain((dimensions) => {
    const row = fc.array(byte, { minLength: dimensions, maxLength: dimensions })
    return fc.record({ rows: fc.array(row, { minLength: 1, maxLength: 20 }), query: row })
  })
  fc.assert(
    fc.property(shape, ({ rows, query }) => {
      const table = createByteRows(query.length)
      for (const [slot, row] of rows.entries()) table.set(slot, Int8Array.from(row))
      const expected = rows.map((row) => row.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0))
      const slots = [...rows.keys()].toReversed()
      const dots = () => [...table.dots(Int8Array.from(query), Int32Array.from(slots))]
      expect(dots()).toEqual(expected.toReversed())
      expect(dots()).toEqual(expected.toReversed())
    }),
  )
})

test('there is room for ten thousand rows', () => {
  const table = createByteRows(384)
  for (let slot = 0; slot < 10_000; slot += 1) table.set(slot, new Int8Array(384).fill((slot % 3) + 1))
  const dots = table.dots(new Int8Array(384).fill(1), Int32Array.of(0, 1, 9_999))
  expect([...dots]).toEqual([384, 768, 384])
})
