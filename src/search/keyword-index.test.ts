import { expect, test } from 'vitest'
import { termsOf } from './analyser.ts'
import type { SearchDocument } from './document.ts'
import { createKeywordIndex } from './keyword-index.ts'

const document = (name: string, description = ''): SearchDocument => ({
  server: 'files',
  serverText: '',
  name,
  description,
  parameterNames: [],
  parameterTexts: [],
})

function indexOf(...names: string[]) {
  const index = createKeywordIndex()
  for (const [slot, name] of names.entries()) index.add(slot, document(name))
  const find = (query: string, slots: Iterable<number> = names.keys()) =>
    index.scores(termsOf(query), index.scope(new Set(slots)))
  return { index, find }
}

test('R070 a word in the name counts more than one in the description, and a rare word more than a common one', () => {
  const { index, find } = indexOf('read file', 'write file', 'file list')
  index.add(3, document('x', 'to read'))
  const scores = find('read', [0, 1, 2, 3])
  expect(new Set(scores.keys())).toEqual(new Set([0, 3]))
  expect(scores.get(0)!).toBeGreaterThan(scores.get(3)!)
  const both = find('write file')
  expect(both.get(1)!).toBeGreaterThan(both.get(0)! * 1.5)
})

test('R070 what is out of scope is not found and changes no score', () => {
  const few = indexOf('read file', 'write file')
  const many = indexOf('read file', 'write file', 'read mail', 'read news')
  expect(many.find('read', [0, 1])).toEqual(few.find('read'))
})

test('R111 what is removed is gone, and the others score as if it had never been', () => {
  const { index, find } = indexOf('read file', 'write file', 'read mail')
  index.remove(2)
  expect(find('read mail', [0, 1])).toEqual(indexOf('read file', 'write file').find('read mail'))
  expect(find('mail', [0, 1, 2]).size).toBe(0)
})
