import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openTokenRows } from './token-rows.ts'

const FILE = join(import.meta.dirname, '../../assets/static-embeddings/tokens-256.i8')
const ROW = 256

test('R070 each row is what stands in the file, whatever was asked for before', () => {
  const whole = readFileSync(FILE)
  using rows = openTokenRows(FILE, ROW)
  const last = whole.length / ROW - 1
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: last }), { minLength: 30, maxLength: 60 }), (tokens) => {
      for (const token of tokens) {
        const at = rows.at(token) ?? Number.NaN
        const row = rows.bytes().subarray(at, at + ROW)
        expect(Buffer.from(row).equals(whole.subarray(token * ROW, (token + 1) * ROW))).toBe(true)
      }
    }),
    { numRuns: 100 },
  )
  expect([rows.at(last), rows.at(last + 1), rows.at(-1)]).toEqual([expect.any(Number), undefined, undefined])
})

test('a row is read once, and a file that is not there is said to be', () => {
  const folder = mkdtempSync(join(tmpdir(), 'metamcp-rows-'))
  const file = join(folder, 'rows')
  writeFileSync(file, Buffer.from([1, 2, 3, 4]))
  {
    using rows = openTokenRows(file, 2)
    const at = rows.at(1)
    writeFileSync(file, Buffer.from([5, 6, 7, 8]))
    expect([rows.at(1), [...rows.bytes().subarray(at, 2 + (at ?? 0))]]).toEqual([at, [3, 4]])
  }
  rmSync(folder, { recursive: true })
  expect(() => openTokenRows(file, 2)).toThrow('ENOENT')
})
