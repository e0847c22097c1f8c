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
