import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue } from './json.ts'
import { editObject, elementsOf, findFault, memberText, membersOf, parseSoundly } from './json-text.ts'

const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
const scalar = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.string().map(
    (text) =>
      `"${text
        .split('')
        .map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('')}"`,
  ),
  fc.constantFrom('""', '"\\\\"', '"\\\\\\""', '"[{,:}]"', '"\\u007b"', '"é\\/😀"', '"\\ud800"'),
  fc.constantFrom('0', '-0', '1e400', '-1.50E+2', '12345678901234567890.10', 'true', 'false', 'null'),
)

/** JSON as others write it: any blanks, any escapes, keys that come twice. */
const {
  value: jsonText,
  object: objectText,
  array: arrayText,
} = fc.letrec<{
  value: string
  object: string
  array: string
  member: string
}>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('object'), tie('array')),
  member: fc
    .tuple(
      blank,
      scalar.filter((text) => text.startsWith('"')),
      blank,
      blank,
      tie('value'),
      blank,
    )
    .map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`),
  object: fc.array(tie('member'), { maxLength: 4 }).map((members) => `{${members.join(',')}}`),
  array: fc
    .array(
      fc.tuple(blank, tie('value'), blank).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    .map((all) => `[${all.join(',')}]`),
}))

describe('R252 members of a JSON text', () => {
  test('are those that JSON.parse sees, the last of equal keys winning', () => {
    fc.assert(
      fc.property(blank, objectText, (before, object) => {
        const text = `${before}${object}`
        const seen = membersOf(text).map(({ key, start, end }) => [key, parsed(text.slice(start, end))] as const)
        const entries = new Map(seen)
        expect(entries).toEqual(new Map(Object.entries(parsed(text) as object)))
        for (const [key, value] of entries) expect(parsed(memberText(text, key)!)).toEqual(value)
        for (const { keyStart, start } of membersOf(text)) expect(`{${text.slice(keyStart, start)}0}`).toSatisfy(parses)
      }),
      { numRuns: 500 },
    )
  })

  test('and elements of arrays too', () => {
    fc.assert(
      fc.property(blank, arrayText, (before, array) => {
        expect(elementsOf(before + array).map(parsed)).toEqual(parsed(array))
      }),
      { numRuns: 500 },
    )
  })

  test('what is no object has no members, what is no array no elements, and nothing hangs', () => {
    for (const text of ['"abc"', '5', 'null', 'true', '[1,"a"]', '[]', '""']) {
      expect(membersOf(text)).toEqual([])
      expect(editObject(text, {})).toBe('{}')
    }
    for (const text of ['"abc"', '5', 'null', '{"a":1}', '{}']) expect(elementsOf(text)).toEqual([])
  })

  test('a key is found however it is escaped, and a prototype is a key like others', () => {
    expect(memberText('{"\\u0061":1}', 'a')).toBe('1')
    expect(memberText('{"__proto__":{"x":1}}', '__proto__')).toBe('{"x":1}')
    expect(memberText('{}', 'toString')).toBeUndefined()
  })

  test('100,000 levels and a megabyte of backslashes are read in linear time', () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"b":"${'\\\\'.repeat(500_000)}","c":"\\""}`
    const startedAt = performance.now()
    expect(membersOf(deep).map(({ key }) => key)).toEqual(['a', 'b', 'c'])
    expect(findFault(deep, 200_000)).toBeUndefined()
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})

describe('R252 editing an object', () => {
  test('leaves every other member to the letter and in its place', () => {
    fc.assert(
      fc.property(objectText, fc.string(), fc.option(jsonText, { nil: undefined }), (text, key, value) => {
        const before = membersOf(text)
        const after = editObject(text, { [key]: value })
        const others = (from: string) => membersOf(from).filter((each) => each.key !== key)
        const written = (from: string) => others(from).map(({ keyStart, end }) => from.slice(keyStart, end))
        expect(written(after)).toEqual(written(text))
        expect(memberText(after, key)).toBe(value)
        expect(membersOf(after).filter((each) => each.key === key)).toHaveLength(value === undefined ? 0 : 1)
        const at = before.findIndex((each) => each.key === key)
        if (value !== undefined && at >= 0) expect(membersOf(after)[at]?.key).toBe(key)
      }),
      { numRuns: 500 },
    )
  })

  test('adds new members at the end, in the order given', () => {
    expect(editObject('{ "a" : 1.0 }', { b: '[2]', c: '{}' })).toBe('{"a" : 1.0,"b":[2],"c":{}}')
    expect(editObject('{}', { 'ä"': '1' })).toBe('{"ä\\"":1}')
  })
})

describe('R005 what is refused although it parses', () => {
  test.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"\\u0061":1 , "a" :2}', 'a'],
    ['[{"x":{"b":1,"c":{},"b":[]}}]', 'b'],
    ['{"":0,"":0}', ''],
    ['{"__proto__":0,"__proto__":0}', '__proto__'],
    ['{"\\"":0,"\\u0022":0}', '"'],
  ])('%s has a key twice', (text, key) => {
    expect(findFault(text, 10)).toEqual({ kind: 'duplicate', key })
  })

  test('equal keys of different objects, and texts that look like keys, are no fault', () => {
    for (const text of ['[{"a":1},{"a":2}]', '{"a":{"a":{"a":1}}}', '{"a":"a","b":["a","a"]}', '["a","a"]', '"a"', '5'])
      expect(findFault(text, 10)).toBeUndefined()
  })

  test('a duplicate is found just where a reader of the text finds one', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(findFault(text, 50)?.kind).toBe(hasDuplicate(text) ? 'duplicate' : undefined)
      }),
      { numRuns: 500 },
    )
  })

  test.each([1, 2, 50])('nesting is allowed to level %i and no further', (depth) => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const nested = (levels: number) => `${open.repeat(levels)}0${close.repeat(levels)}`
      expect(findFault(nested(depth), depth)).toBeUndefined()
      expect(findFault(nested(depth + 1), depth)).toEqual({ kind: 'depth' })
    }
    expect(findFault('["[[[[[[[{{{{{"]', 1)).toBeUndefined()
  })
})

describe('R005 the value that the gateway decides by has the keys that a server will read', () => {
  test.each([
    ['{"p1":1,"\\\\":2}', '{"p1":1,"\\u0062":2}', { p1: 1, b: 2 }],
    ['{"p2":1,"u\\\\":2}', '{"p2":1,"u\\u0041":2}', { p2: 1, uA: 2 }],
    [
      '[{"p3":{},"\\\\":2}]',
      '[{"p3":{},"\\"":[{"\\u005f_proto__":1}]}]',
      [{ p3: {}, '"': [JSON.parse('{"__proto__":1}')] }],
    ],
  ])('whatever was read before: after %s, %s', (before, text, value) => {
    JSON.parse(before)
    expect(parsed(text)).toEqual(value)
  })

  test('and is else the value of JSON.parse, the same object where no key has an escape', () => {
    const value = JSON.parse('{"a":"\\n","b":["\\",\\""]}') as JsonValue
    expect(parseSoundly('{"a":"\\n","b":["x"]}', value)).toBe(value)
    fc.assert(
      fc.property(fc.json(), blank, (text, after) => {
        const escaped = `{"\\u0000":${text}${after}}`
        expect(parseSoundly(escaped, null)).toEqual({ '\0': JSON.parse(text) as unknown })
      }),
    )
  })

  test('in linear time, 128 levels deep', () => {
    const text = `${'[{"\\u0061":'.repeat(64)}[${'1,'.repeat(1_000_000)}1]${'}]'.repeat(64)}`
    const startedAt = performance.now()
    parseSoundly(text, null)
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })
})

/** What a careful reader makes of a text. */
function parsed(text: string): unknown {
  return parseSoundly(text, JSON.parse(text) as JsonValue)
}

function parses(text: string): boolean {
  JSON.parse(text)
  return true
}

function hasDuplicate(text: string): boolean {
  const inner = text.startsWith('{') ? membersOf(text) : []
  if (new Set(inner.map(({ key }) => key)).size < inner.length) return true
  const values = text.startsWith('[') ? elementsOf(text) : inner.map(({ start, end }) => text.slice(start, end))
  return values.some(hasDuplicate)
}
