import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesAny, matchesGlob } from './glob.ts'

/** The same said slowly. */
function matchesSlowly(pattern: string, name: string): boolean {
  if (pattern === '') return name === ''
  if (pattern[0] !== '*') return name[0] === pattern[0] && name !== '' && matchesSlowly(pattern.slice(1), name.slice(1))
  return matchesSlowly(pattern.slice(1), name) || (name !== '' && matchesSlowly(pattern, name.slice(1)))
}

test('R252 a pattern matches as a naive matcher says', () => {
  const letter = fc.constantFrom('a', 'b', '*', '.', '[')
  fc.assert(
    fc.property(
      fc.string({ unit: letter, maxLength: 8 }),
      fc.string({ unit: letter, maxLength: 10 }),
      (pattern, name) => {
        expect(matchesGlob(pattern, name)).toBe(matchesSlowly(pattern, name))
      },
    ),
    { numRuns: 3000 },
  )
})

test.each([
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
  ['files__*', 'files__read', true],
  ['*delete*', 'db__delete_all', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a.c', 'abc', false],
  ['A*', 'abc', false],
  ['**', 'x', true],
])('R252 %s against %s is %s', (pattern, name, isMatch) => {
  expect(matchesGlob(pattern, name)).toBe(isMatch)
})

test('R252 no pattern takes more than a moment, and one of several is enough', () => {
  const startedAt = performance.now()
  expect(matchesGlob(`${'a*'.repeat(2000)}b`, 'a'.repeat(100_000))).toBe(false)
  expect(performance.now() - startedAt).toBeLessThan(200)
  expect(matchesAny(['x', 'a*'], 'ab')).toBe(true)
  expect(matchesAny([], 'ab')).toBe(false)
})
