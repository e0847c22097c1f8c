import { expect, test } from 'vitest'
import { MASK } from './masks.ts'
import { redacted } from './redact.ts'

const password = { format: 'password' }

test.each([
  ['a member', { properties: { x: password } }, { x: 'v' }, { x: MASK }],
  ['a pattern of names', { patternProperties: { '^x': password } }, { x1: 'v' }, { x1: MASK }],
  ['every other member', { additionalProperties: { writeOnly: true } }, { x: 'v' }, { x: MASK }],
  ['items', { items: password }, ['v'], [MASK]],
  ['one of several schemas', { anyOf: [{}, { oneOf: [{ properties: { x: password } }] }] }, { x: 'v' }, { x: MASK }],
  [
    'a consequence',
    JSON.parse('{"if":{},"then":{"properties":{"x":{"format":"password"}}}}') as object,
    { x: 'v' },
    { x: MASK },
  ],
  ['a reference', { $ref: '#/$defs/a~1b', $defs: { 'a/b': { properties: { x: password } } } }, { x: 'v' }, { x: MASK }],
])('what the schema says of %s holds', (_what, schema, value, expected) => {
  expect(redacted(value, schema)).toEqual(expected)
})

/** Servers write schemas, and callers write texts: neither may hold up the gateway. */
test('a schema that leads to itself in many ways, and a text of question marks, take no time', () => {
  const twice = [{ $ref: '#' }, { $ref: '#' }, { $ref: '#/anyOf/0' }]
  const schema = { anyOf: twice, allOf: twice, properties: { x: { $ref: '#' } }, writeOnly: false }
  const from = performance.now()
  expect(redacted({ x: { x: 'v' } }, schema)).toEqual({ x: { x: 'v' } })
  const text = '?'.repeat(200_000)
  expect(redacted(text)).toBe(text)
  expect(redacted('?a?token=v')).toBe(`?a?token=${MASK}`)
  expect(performance.now() - from).toBeLessThan(5_000)
})
