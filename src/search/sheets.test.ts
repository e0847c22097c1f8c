import { expect, test } from 'vitest'
import { createSheets } from './sheets.ts'

test('a sheet is blank, belongs to one search at a time, and is used again', () => {
  const sheetsOf = createSheets()
  const first = sheetsOf(3)
  const sheet = first.blank()
  sheet.fill(7)
  using other = sheetsOf(3)
  expect(other.blank()).not.toBe(sheet)
  first[Symbol.dispose]()
  using later = sheetsOf(3)
  expect(later.blank()).toBe(sheet)
  expect([...sheet]).toEqual([0, 0, 0])
})

test('a sheet of another size is not used again', () => {
  const sheetsOf = createSheets()
  const small = sheetsOf(2)
  small.blank()
  using large = sheetsOf(5)
  small[Symbol.dispose]()
  expect(large.blank()).toHaveLength(5)
  using small2 = sheetsOf(5)
  expect(small2.blank()).toHaveLength(5)
})
