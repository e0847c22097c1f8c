import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HttpToolRecord } from '#registry/records'
import { httpToolDraft } from '../../test/support/test-registry.ts'
import { httpToolRequest } from './http-tool-request.ts'

type Parts = Parameters<typeof httpToolDraft>[1]

const tool = (parts: Parts = {}): HttpToolRecord => {
  return { ...httpToolDraft('weather', parts), id: '1', origin: 'api', createdAt: 0, updatedAt: 0 }
}
const made = (parts: Parts, args: string) => httpToolRequest(tool(parts), args)

describe('R252 an HTTP request of a tool call', () => {
  test.each<[string, Parts, string, string, string | undefined]>([
    ['a body to the letter', {}, '{ "a": 1.0, "b":"é" }', '/do', '{"a": 1.0,"b":"é"}'],
    [
      'a query',
      { method: 'GET' },
      '{"q":"a b&c","n":1.50,"l":[1,"x"],"o":{"a":1}}',
      '/do?q=a+b%26c&n=1.50&l=1&l=x&o=%7B%22a%22%3A1%7D',
      undefined,
    ],
    [
      'a place in the address',
      { endpoint: 'http://h/u/{id}/x', method: 'GET' },
      '{"id":"a/b?c#d"}',
      '/u/a%2Fb%3Fc%23d/x',
      undefined,
    ],
    [
      'an argument twice in the address',
      { endpoint: 'http://h/{a}/{a}?x={b}', method: 'DELETE' },
      '{"a":1,"b":"&"}',
      '/1/1?x=%26',
      undefined,
    ],
    [
      'a value that looks like a place',
      { endpoint: 'http://h/{a}/{b}', method: 'GET' },
      '{"a":"{b}","b":"$&"}',
      '/%7Bb%7D/%24%26',
      undefined,
    ],
    [
      'a mapping',
      { endpoint: 'http://h/do', mapping: { a: 'query', b: 'header' } },
      '{"a":1,"b":"x","c":2}',
      '/do?a=1',
      '{"c":2}',
    ],
    [
      'a body for GET where it is mapped so',
      { method: 'GET', mapping: { a: 'body' } },
      '{"a":1,"b":2}',
      '/do?b=2',
      '{"a":1}',
    ],
    [
      'names that objects have',
      { mapping: {} },
      '{"constructor":1,"toString":2,"__proto__":3}',
      '/do',
      '{"constructor":1,"toString":2,"__proto__":3}',
    ],
    ['no arguments', {}, '{}', '/do', '{}'],
  ])('with %s', (...[, parts, args, path, body]) => {
    const request = made(parts, args)
    expect([request.path, request.body]).toEqual([path, body])
  })

  test('has the headers of the record, those of arguments above them, all in small letters', () => {
    const { headers } = made({ headers: { 'X-A': '1', 'X-B': '2' }, mapping: { 'X-b': 'header' } }, '{"X-b":"é"}')
    expect(headers).toMatchObject({ 'x-a': '1', 'x-b': 'é', 'content-type': 'application/json' })
  })

  test.each<[string, Parts, string]>([
    ['a place that is not filled', { endpoint: 'http://h/{id}' }, '{}'],
    ['a segment of one dot', { endpoint: 'http://h/u/{id}' }, '{"id":"."}'],
    ['a segment of two dots', { endpoint: 'http://h/u/{id}/x' }, '{"id":".."}'],
    ['dots from two arguments', { endpoint: 'http://h/u/{a}{b}/x' }, '{"a":".","b":"."}'],
    ['half of a surrogate pair in the address', { endpoint: 'http://h/u/{id}' }, '{"id":"\\ud800"}'],
    ['a line break in a header', { mapping: { a: 'header' } }, '{"a":"x\\r\\ny: z"}'],
    ['NUL in a header', { mapping: { a: 'header' } }, '{"a":"\\u0000"}'],
    ['letters that no header has', { mapping: { a: 'header' } }, '{"a":"日本"}'],
  ])('is not made of %s', (_what, parts, args) => {
    expect(() => made(parts, args)).toThrow(expect.objectContaining({ code: 'validation_error' }))
  })

  test('never leaves the address of its tool, whatever the arguments', () => {
    const naughty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('..', '../..', '%2e%2e', '//evil', '@evil', '\\..\\', '\n', '?#'),
    )
    fc.assert(
      fc.property(naughty, naughty, (a, b) => {
        const args = JSON.stringify({ a: a.toWellFormed(), b: b.toWellFormed() })
        try {
          const { origin, path } = made({ endpoint: 'http://h.example:81/base/{a}/x{b}/end', method: 'GET' }, args)
          expect(origin).toBe('http://h.example:81')
          expect(path).toMatch(/^\/base\/[^/?#]*\/x[^/?#]*\/end$/)
        } catch (error) {
          expect(error).toMatchObject({ code: 'validation_error' })
        }
      }),
      { numRuns: 500 },
    )
  })

  test('is made at once of arguments that are no object', () => {
    for (const args of ['"abc"', '5', 'null', '[1]']) expect(made({}, args).body).toBe('{}')
  })
})
