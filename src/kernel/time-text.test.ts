import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTimeText } from './time-text.ts'

test('a moment is written as a Date writes it, whichever moments came before', () => {
  const textOf = createTimeText()
  const moment = fc.integer({ min: -8.64e15, max: 8.64e15 })
  const close = fc.integer({ min: 1_799_999_998_000, max: 1_800_000_002_000 })
  const moments = fc.array(fc.oneof(moment, close))
  fc.assert(
    fc.property(moments, (all) => {
      expect(all.map(textOf)).toEqual(all.map((at) => new Date(at).toISOString()))
    }),
  )
  expect(() => textOf(NaN)).toThrow(RangeError)
})
