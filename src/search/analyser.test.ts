import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NAUGHTY_STRINGS } from '../../test/support/storage-samples.ts'
import { termsOf, wordsOf } from './analyser.ts'

describe('R070 the terms of a text', () => {
  test.each([
    ['readTextFile', ['read', 'text', 'file']],
    ['read_text-file.v2', ['read', 'text', 'file', 'v', '2']],
    ['HTTPServer', ['http', 'server']],
    ['Crème Brûlée', ['creme', 'brulee']],
    ['x86', ['x', '86']],
  ])('takes %s apart', (text, words) => expect(wordsOf(text)).toEqual(words))

  test('takes names of plain letters apart as it does those with accents', () => {
    const accented: Record<string, string> = { a: 'á', e: 'è', n: 'ñ', A: 'Á', E: 'È', N: 'Ñ', 7: '7', 0: '0', _: '_' }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Object.keys(accented)), minLength: 1 }), (name) => {
        const other = Array.from(name, (letter) => accented[letter]).join('')
        expect(wordsOf(name)).toEqual(wordsOf(other))
      }),
    )
  })

  test('knows inflected words as one', () => {
    expect(termsOf('listing lists listed')).toEqual(['list', 'list', 'list'])
  })

  test('leaves out words that every text has', () => {
    expect(termsOf('Show me all of the files in it')).toEqual(termsOf('Show all files'))
  })

  test('cuts scripts without blanks into pairs, beside others', () => {
    expect(termsOf('必应搜索 web搜')).toEqual(['必应', '应搜', '搜索', 'web', '搜'])
  })

  test.each(NAUGHTY_STRINGS.map((text) => [text]))('survives %j', (text) => {
    expect(Array.isArray(termsOf(text))).toBe(true)
  })
})
