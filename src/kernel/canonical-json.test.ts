import { assert, jsonValue, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'

describe('R252 canonical JSON', () => {
  test('is the same whatever the order of members, the blanks and the escapes', () => {
    const spellings = ['{"b":[1,{"d":null,"c":"ü"}],"a":""}', ' { "a" : "" ,\n"b":[ 1, {"c":"\\u00fc" , "d":null}]}\t']
    for (const spelling of spellings) expect(canonicalJson(spelling)).toBe('{"a":"","b":[1,{"c":"ü","d":null}]}')
    expect(canonicalJson('{"\\u0061":1}')).toBe(canonicalJson('{"a":1}'))
  })

  test('tells apart what a receiver could: digits, order of elements, types', () => {
    const different = ['1', '1.0', '1e0', '9007199254740993', '9007199254740992', '"1"', '[1,2]', '[2,1]', '{}', '[]']
    expect(new Set(different.map(canonicalJson)).size).toBe(different.length)
    for (const text of different) expect(canonicalJson(text)).toBe(text)
  })

  test('keeps strings that look like structure', () => {
    for (const text of ['"{\\"a\\":[1,2]}"', '["a,b","]",":"]', '{"a\\"b":"\\\\"}', '""'])
      expect(canonicalJson(text)).toBe(text)
  })

  test('means what the text means, and of equal values in equal spelling there is one', () => {
    assert(
      property(jsonValue(), (value) => {
        const canonical = canonicalJson(JSON.stringify(value, null, 2))
        expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(canonical)).toBe(canonical)
      }),
    )
  })
})
