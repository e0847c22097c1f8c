import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from './json.ts'
import { argumentAt, decodeHeaderValue, encodeHeaderValue, mirroredHeaders, paramHeaders } from './param-headers.ts'

const schema = (properties: JsonObject): JsonObject => ({ type: 'object', properties })
const mirrored = (header: JsonValue, type: JsonValue = 'string'): JsonObject => ({ type, 'x-mcp-header': header })

describe('R113 annotations of a schema', () => {
  test.each<[string, JsonValue | undefined, unknown]>([
    ['none', schema({ a: { type: 'string' } }), []],
    ['no schema', undefined, []],
    ['a boolean schema', true, []],
    [
      'one of each type',
      schema({ a: mirrored('A'), b: mirrored('B', 'integer'), c: mirrored('C', 'boolean') }),
      [
        { header: 'A', path: ['a'] },
        { header: 'B', path: ['b'] },
        { header: 'C', path: ['c'] },
      ],
    ],
    ['one inside of an object', schema({ a: schema({ b: mirrored('B') }) }), [{ header: 'B', path: ['a', 'b'] }]],
    ['a property that is only called so', schema({ 'x-mcp-header': { type: 'string' } }), []],
    [
      'odd names of arguments',
      schema({ __proto__x: mirrored('P'), '': mirrored('E') }),
      [
        { header: 'P', path: ['__proto__x'] },
        { header: 'E', path: [''] },
      ],
    ],
  ])('%s', (_what, value, plan) => {
    expect(paramHeaders(value)).toEqual(plan)
  })

  test.each<[string, JsonValue]>([
    ['no token', schema({ a: mirrored('a b') })],
    ['an empty header', schema({ a: mirrored('') })],
    ['a header with a line break', schema({ a: mirrored('A\r\nB') })],
    ['a colon', schema({ a: mirrored('A:') })],
    ['no ASCII', schema({ a: mirrored('É') })],
    ['no text', schema({ a: mirrored(5) })],
    ['null', schema({ a: mirrored(null) })],
    ['a header twice', schema({ a: mirrored('A'), b: mirrored('A') })],
    ['a header twice but for its case', schema({ a: mirrored('Region'), b: mirrored('REGION') })],
    ['a number', schema({ a: mirrored('A', 'number') })],
    ['an array', schema({ a: mirrored('A', 'array') })],
    ['an object', schema({ a: { ...schema({}), 'x-mcp-header': 'A' } })],
    ['several types', schema({ a: mirrored('A', ['string', 'null']) })],
    ['no type', schema({ a: { 'x-mcp-header': 'A' } })],
    ['the root', { ...schema({}), 'x-mcp-header': 'A' }],
    ['elements of an array', schema({ a: { type: 'array', items: mirrored('A') } })],
    ['a choice', schema({ a: { anyOf: [mirrored('A')] } })],
    ['a definition', { ...schema({}), $defs: { a: mirrored('A') } }],
    ['additional properties', { type: 'object', additionalProperties: mirrored('A') }],
    ['a condition', { ...schema({}), if: schema({ a: mirrored('A') }) }],
  ])('%s is invalid', (_what, value) => {
    expect(paramHeaders(value)).toBeUndefined()
  })
})

describe('R113 a mirrored argument', () => {
  const plan = paramHeaders(
    schema({ region: mirrored('Region'), n: mirrored('N', 'integer'), o: schema({ b: mirrored('B', 'boolean') }) }),
  )!

  test('travels where it is there, and 0, false and the empty text are there', () => {
    expect(mirroredHeaders(plan, { region: '', n: 0, o: { b: false } })).toEqual({
      'mcp-param-region': '',
      'mcp-param-n': '0',
      'mcp-param-b': 'false',
    })
    expect(mirroredHeaders(plan, { region: null, o: null })).toEqual({})
    expect(mirroredHeaders(plan, { o: 'b' })).toEqual({})
  })

  test('is an argument of the caller, never one of the prototype', () => {
    expect(argumentAt({}, ['constructor', 'name'])).toBeUndefined()
    expect(argumentAt({ a: 'text' }, ['a', 'length'])).toBeUndefined()
    expect(argumentAt(JSON.parse('{"__proto__":"x"}') as JsonObject, ['__proto__'])).toBe('x')
  })
})

describe('R113 a header value', () => {
  test('comes back as it was, whatever the text, and is always one that HTTP can carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = encodeHeaderValue(text)
        expect(value).toMatch(/^[\x20-\x7e]*$/)
        expect(value.trim()).toBe(value)
        expect(decodeHeaderValue(value)).toBe(text.toWellFormed())
      }),
      { numRuns: 500 },
    )
  })

  test.each(['', 'a', 'us-west1', 'a b', '=?', '=?base64?', 'a,b;c="d"'])('that is plain stays plain: %s', (text) => {
    expect(encodeHeaderValue(text)).toBe(text)
  })
  test.each([' a', 'a ', 'é', 'a\tb', 'a\nb', '😀', '=?base64?YQ==?=', '\x7f'])(
    'that is not is wrapped: %j',
    (text) => {
      expect(encodeHeaderValue(text)).toMatch(/^=\?base64\?.*\?=$/)
    },
  )
  test.each([
    '=?base64?YQ=?=',
    '=?base64?YQ?=',
    '=?base64?Y?=',
    '=?base64?Y Q==?=',
    '=?base64?YQ==YQ==?=',
    '=?base64?-_==?=',
    '=?base64?%?=',
  ])('with a bad alphabet or padding is none: %s', (value) => {
    expect(decodeHeaderValue(value)).toBeUndefined()
  })
  test('without the wrapper to the end is literal', () => {
    for (const value of ['=?base64?YQ==', '=?BASE64?YQ==?=', 'x=?base64?YQ==?='])
      expect(decodeHeaderValue(value)).toBe(value)
  })
})
