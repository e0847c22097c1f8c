import { expect, test } from 'vitest'
import { argumentsText } from './arguments.ts'

const SCHEMA = {
  type: 'object',
  properties: {
    path: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: 'number' },
    deep: { type: 'boolean' },
    tags: { type: 'array' },
    filter: { type: 'object' },
    either: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    maybe: { type: ['number', 'null'] },
  },
}

test.each([
  ['path=1', '{"path":"1"}'],
  ['path=a=b "c"', '{"path":"a=b \\"c\\""}'],
  ['path="quoted"', '{"path":"\\"quoted\\""}'],
  ['path=', '{"path":""}'],
  ['count=12345678901234567890', '{"count":12345678901234567890}'],
  ['count=2.0', '{"count":2.0}'],
  ['ratio=1e-7', '{"ratio":1e-7}'],
  ['deep=true', '{"deep":true}'],
  ['tags=["a"]', '{"tags":["a"]}'],
  ['filter={"a":1}', '{"filter":{"a":1}}'],
  ['either=5', '{"either":5}'],
  ['either=five', '{"either":"five"}'],
  ['maybe=null', '{"maybe":null}'],
  ['unknown=5', '{"unknown":5}'],
  ['unknown=five', '{"unknown":"five"}'],
])('R010 %s is read as the tool wants it: %s', (pair, text) => {
  expect(argumentsText([pair], SCHEMA)).toBe(text)
})

test.each(['count=many', 'count=1.5', 'deep=yes', 'tags=a', 'filter=[]', 'ratio="1"'])(
  'R010 %s is refused before anything is called',
  (pair) => {
    expect(() => argumentsText([pair], SCHEMA)).toThrow(/^The argument \w+ must be/)
  },
)

test.each(['novalue', '=x'])('%s is no argument', (pair) => {
  expect(() => argumentsText([pair], SCHEMA)).toThrow(/write key=value/)
})

test('the last of two equal keys counts, and no key is dangerous', () => {
  expect(argumentsText(['path=a', 'path=b', '__proto__=1'], SCHEMA)).toBe('{"path":"b","__proto__":1}')
})
