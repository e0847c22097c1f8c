import { expect, test } from 'vitest'
import { termsOf } from './analyser.ts'
import type { SearchDocument } from './document.ts'
import { createKeywordIndex } from './keyword-index.ts'
import { scopeOf } from './scope.ts'

const document = (name: string, description = ''): SearchDocument => ({
  server: 'files',
  serverText: '',
  name,
  description,
  parameterNames: [],
  parameterTexts: [],
  learned: [],
})

function indexOf(...names: string[]) {
  const index = createKeywordIndex()
  for (const [slot, name] of names.entries()) index.add(slot, document(name))
  const find = (query: string, slots: Iterable<number> = names.keys()) => {
    const scope = scopeOf(Int32Array.from(slots), 100)
    const terms = termsOf(query).map((term) => ({ term, near: [] }))
    return [...index.scores(terms, { ...scope, averages: index.averages(scope) }).scores]
  }
  return { index, find }
}

test('R070 a word in the name counts more than one in the description, and a rare word more than a common one', () => {
  const { index, find } = indexOf('read file', 'write file', 'file list')
  index.add(3, document('x', 'to read'))
  const [readFile = 0, writeFile, list, toRead = 0] = find('read', [0, 1, 2, 3])
  expect([writeFile, list]).toEqual([0, 0])
  expect(toRead).toBeGreaterThan(0)
  expect(readFile).toBeGreaterThan(toRead)
  const both = find('write file')
  expect(both[1]!).toBeGreaterThan(both[0]! * 1.5)
})

test('R070 what is out of scope is not found and changes no score', () => {
  const few = indexOf('read file', 'write file')
  const many = indexOf('read file', 'write file', 'read mail', 'read news')
  expect(many.find('read', [0, 1])).toEqual(few.find('read'))
})

test('R111 what is removed is gone, and the others score as if it had never been', () => {
  const { index, find } = indexOf('read file', 'write file', 'read mail')
  index.forget(new Set([2]))
  expect(find('read mail', [0, 1])).toEqual(indexOf('read file', 'write file').find('read mail'))
  expect(find('mail', [0, 1, 2])).toEqual([0, 0, 0])
})

test('R070 scores stand in the order of the scope, whichever slots it has', () => {
  const { find } = indexOf('read file', 'write mail', 'read mail')
  const [one, other] = find('write', [2, 1])
  expect(one).toBe(0)
  expect(other).toBeGreaterThan(0)
})
