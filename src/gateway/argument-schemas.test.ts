import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#kernel/json'
import { createArgumentSchemas } from './argument-schemas.ts'

const logged: string[] = []
const schemas = createArgumentSchemas((error) => void logged.push(error))
const problems = (schema: JsonObject | boolean, args: JsonObject) => schemas.check(JSON.stringify(schema), args)
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'

function within(ms: number, act: () => unknown): void {
  const startedAt = performance.now()
  act()
  expect(performance.now() - startedAt).toBeLessThan(ms)
}

const of = (type: string) => ({ $id: 'https://example.com/same', properties: { a: { type } } })

describe('R252 arguments are checked', () => {
  test('and the problem is said in words', () => {
    const schema = {
      type: 'object',
      properties: { n: { type: 'integer', minimum: 1 } },
      required: ['n'],
      additionalProperties: false,
    }
    expect(problems(schema, { n: 1 })).toEqual([])
    expect(problems(schema, {})).toEqual(["arguments must have required property 'n'"])
    expect(problems(schema, { n: 'x' })).toEqual(['/n must be integer'])
    expect(problems(schema, { n: 1, secret: 2 })).toEqual(['arguments must NOT have additional properties (secret)'])
  })

  test('in the dialect of the schema: an array of items means different things', () => {
    const tuple = {
      type: 'object',
      properties: { a: { type: 'array', items: [{ type: 'string' }], additionalItems: false } },
    }
    expect(problems({ $schema: DRAFT_07, ...tuple }, { a: ['x', 1] })).toHaveLength(1)
    const prefix = { type: 'object', properties: { a: { prefixItems: [{ type: 'string' }], items: false } } }
    expect(problems(prefix, { a: ['x', 1] })).toHaveLength(1)
    expect(problems({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...prefix }, { a: ['x'] })).toEqual([])
    expect(problems({ dependentRequired: { a: ['b'] } }, { a: 1 })).toHaveLength(1)
    expect(
      problems({ $defs: { s: { type: 'string' } }, properties: { a: { $ref: '#/$defs/s' } } }, { a: 1 }),
    ).toHaveLength(1)
    expect(
      problems(
        { $schema: DRAFT_07, definitions: { s: { type: 'string' } }, properties: { a: { $ref: '#/definitions/s' } } },
        { a: 1 },
      ),
    ).toHaveLength(1)
  })

  test('by schemas that share an id, each by its own', () => {
    expect(problems(of('string'), { a: 1 })).toHaveLength(1)
    expect(problems(of('number'), { a: 1 })).toEqual([])
  })

  test('a schema that cannot be used finds nothing wrong, is said to the log once and breaks nothing', () => {
    logged.length = 0
    const broken: (JsonObject | boolean)[] = [
      { type: 'nonsense' },
      { properties: 5 },
      { required: 'x' },
      { $ref: '#/nowhere' },
      { $ref: '#', minimum: 'x' },
    ]
    for (const schema of broken) for (let time = 0; time < 2; time += 1) expect(problems(schema, { a: 1 })).toEqual([])
    expect(logged).toHaveLength(broken.length)
    expect(schemas.check('null', {})).toEqual([])
    expect(schemas.check('{', {})).toEqual([])
    expect(problems({ type: 'object', properties: { a: { type: 'string' } } }, { a: 1 })).toHaveLength(1)
  })

  test('never by what lies on the network', async () => {
    let asked = 0
    const server = createServer((_request, response) => {
      asked += 1
      response.end('{"type":"string"}')
    }).listen(0, '127.0.0.1')
    try {
      await new Promise((resolve) => server.once('listening', resolve))
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      expect(problems({ properties: { a: { $ref: `http://127.0.0.1:${port}/s.json` } } }, { a: 1 })).toEqual([])
      await new Promise((resolve) => setImmediate(resolve))
      expect(asked).toBe(0)
    } finally {
      server.close()
    }
  })
})

describe('R005 a hostile schema holds nobody up', () => {
  test('with patterns that other engines take for ever for', () => {
    const text = `${'a'.repeat(50_000)}!`
    for (const pattern of ['^(a+)+$', '^(a|aa)*$', '(.*a){20}$', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
      within(1500, () => problems({ properties: { s: { type: 'string', pattern } } }, { s: text }))
      within(1500, () => problems({ patternProperties: { [pattern]: false } }, { [text]: 1 }))
    }
    expect(problems({ properties: { s: { pattern: '^\\d{3}$' } } }, { s: '12a' })).toHaveLength(1)
    expect(problems({ properties: { s: { pattern: '^\\p{Lu}+$' } } }, { s: 'ÄÖ' })).toEqual([])
  })

  test('with patterns that no linear engine knows: they match everything', () => {
    for (const pattern of ['(?=a)b', '(?<!x)y', '(a)\\1', '(', '['])
      expect(problems({ properties: { s: { pattern } } }, { s: 'zzz' })).toEqual([])
  })

  test('that is huge, deep, or refers to itself without end', () => {
    const huge = JSON.stringify({
      properties: { a: { enum: Array.from({ length: 200_000 }, (_, index) => `value ${index}`) } },
    })
    within(300, () => expect(schemas.check(huge, { a: 'x' })).toEqual([]))
    const deep = `${'{"properties":{"a":'.repeat(20_000)}{}${'}}'.repeat(20_000)}`
    within(2000, () => schemas.check(deep, { a: 1 }))
    const endless = { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }
    within(1000, () => expect(() => problems(endless, { a: 1 })).not.toThrow())
    const tree = { $ref: '#/$defs/t', $defs: { t: { properties: { next: { $ref: '#/$defs/t' } } } } }
    let chain: JsonObject = {}
    for (let depth = 0; depth < 100; depth += 1) chain = { next: chain }
    expect(problems(tree, chain)).toEqual([])
  })

  test('and __proto__ is an argument like others', () => {
    const schema = JSON.parse(
      '{"properties":{"__proto__":{"type":"string"}},"additionalProperties":false}',
    ) as JsonObject
    expect(() => problems(schema, JSON.parse('{"__proto__":1}') as JsonObject)).not.toThrow()
    expect(Object.prototype).not.toHaveProperty('type')
  })
})
