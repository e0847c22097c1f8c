import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { termsOf } from './analyser.ts'
import type { SearchDocument } from './document.ts'
import { createKeywordIndex, type PreparedScope } from './keyword-index.ts'
import type { KeywordQuery } from './keyword-query.ts'
import type { QueryTerm } from './query-terms.ts'
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
  const prepared = (slots: Iterable<number>): PreparedScope => {
    const scope = scopeOf(Int32Array.from(slots), 100)
    return { ...scope, averages: index.averages(scope) }
  }
  const find = (text: string, slots: Iterable<number> = names.keys()) => {
    const scope = prepared(slots)
    using query = index.query(scope)
    const terms = termsOf(text).map((term) => ({ term, near: [] }))
    return scored(query, terms, scope)
  }
  return { index, find, prepared }
}

function scored(query: KeywordQuery, terms: readonly QueryTerm[], { slots }: PreparedScope): number[] {
  const into = new Float64Array(slots.length)
  expect(query.score(terms, into)).toBe(Math.max(0, ...into))
  return [...into]
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

test('R111 a word that was gone comes back as itself, whatever has its place by now', () => {
  const { index, find } = indexOf('read file', 'write mail')
  index.forget(new Set([0]))
  index.add(2, document('zebra'))
  index.add(3, document('read'))
  expect(find('zebra', [1, 2, 3])).toEqual([0, expect.any(Number), 0])
  expect(find('read', [1, 2, 3]).map((score) => score > 0)).toEqual([false, false, true])
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

test('R070 what is near to a word finds what has no such word, for less than the word, and never counts beside it', () => {
  const { index, prepared } = indexOf('open folder', 'open directory', 'folder directory', 'x', 'y')
  const scope = prepared([0, 1, 2, 3, 4])
  const [folder, directory] = ['folder', 'directory'].map((word) => termsOf(word)[0] as string)
  const near = [{ term: directory as string, weight: 0.5 }]
  using query = index.query(scope)
  const alone = scored(query, [{ term: folder as string, near: [] }], scope)
  const both = scored(query, [{ term: folder as string, near }], scope)
  expect(both).toEqual([alone[0], alone[0]! / 2, alone[2], 0, 0])
  expect(query.ownBest([{ term: folder as string, near }])).toBe(Math.max(...alone))
})

const WORDS = ['read', 'write', 'file', 'mail', 'news', 'list'].map((word) => termsOf(word)[0] as string)
const word = fc.constantFrom(...WORDS)
const someTerms = fc.uniqueArray(
  fc.record({
    term: word,
    near: fc.array(fc.record({ term: word, weight: fc.constantFrom(0.3, 0.6) }), { maxLength: 5 }),
  }),
  { selector: ({ term }) => term, maxLength: 4 },
)

test('R070 each step of a task scores as if nothing else had been asked, in whichever order they are', () => {
  const texts = fc.array(fc.array(word, { maxLength: 5 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(texts, fc.array(someTerms, { maxLength: 5 }), (tools, steps) => {
      const { index, prepared } = indexOf(...tools.map((words) => words.join(' ')))
      const scope = prepared(tools.keys())
      using query = index.query(scope)
      for (const terms of [...steps, ...steps]) {
        using other = index.query(scope)
        expect(scored(query, terms, scope)).toEqual(scored(other, terms, scope))
        const own = terms.map(({ term }) => ({ term, near: [] }))
        expect(query.ownBest(terms)).toBe(Math.max(0, ...scored(query, own, scope)))
      }
    }),
  )
})

test('R070 a score is the sum of what each term is worth, and that the most that it or what is near to it is worth', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(word, { maxLength: 5 }), { minLength: 1, maxLength: 12 }),
      someTerms,
      (tools, terms) => {
        const { index, prepared } = indexOf(...tools.map((words) => words.join(' ')))
        const scope = prepared(tools.keys())
        const sums = tools.map(() => 0)
        for (const term of terms) {
          using query = index.query(scope)
          const worths = scored(query, [term], scope)
          const alone = scored(query, [{ ...term, near: [] }], scope)
          for (const [place, worth] of worths.entries()) {
            expect(worth).toBeGreaterThanOrEqual(alone[place]!)
            sums[place]! += worth
          }
        }
        using query = index.query(scope)
        expect(scored(query, terms, scope)).toEqual(sums)
      },
    ),
  )
})
