import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { JSON_HEADERS, legacyPost, modernPost } from '../support/bad-input/bad-case.ts'
import { httpText, rawExchange } from '../support/raw-socket.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'

interface Operation {
  readonly method: string
  readonly path: string
  readonly hasBody: boolean
}

const app: TestApp = await startTestApp({ env: { META_MCP_MAX_BODY_BYTES: '100000' } })
const operations = await described(app)
const port = Number(new URL(app.listening.url).port)
let before: string

beforeAll(async () => {
  before = await state()
})
afterAll(() => app[Symbol.asyncDispose]())

async function described({ api }: TestApp): Promise<Operation[]> {
  const { body } = await api.send('GET', '/openapi.json')
  return Object.entries(body['paths'] as Record<string, Record<string, { requestBody?: unknown }>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, { requestBody }]) => {
        return { method: method.toUpperCase(), path, hasBody: requestBody !== undefined }
      }),
  )
}

/** All that requests could have changed. */
async function state(): Promise<string> {
  const lists = ['tools', 'proxy/servers', 'namespaces', 'admin/log-level'].map((path) => app.api.send('GET', path))
  return JSON.stringify((await Promise.all(lists)).map(({ body }) => body))
}

async function send(method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}) {
  const bytes = httpText(method, path, { ...(body === undefined ? {} : JSON_HEADERS), ...headers }, body)
  const { answers, end } = await rawExchange(port, bytes, { answers: 1, method })
  expect({ path, end }).toEqual({ path, end: 'answered' })
  return answers[0]!
}

function expectProblem(answer: { readonly headers: Readonly<Record<string, string>>; readonly body: string }): string {
  const { error, ...rest } = JSON.parse(answer.body) as { error: string }
  expect(error).toMatch(/^[a-z_]+$/)
  expect(Object.keys(rest)).toEqual(['message', 'details', 'timestamp'])
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' })
  expect(answer.headers['x-request-id']).toMatch(/./)
  expect(answer.body).not.toMatch(/node_modules|\.ts:\d|FST_|SQLITE|at async/)
  return error
}

const deep = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`
const BODIES: readonly (readonly [what: string, body: string | Buffer, status: readonly number[]])[] = [
  ['nothing', '', [422]],
  ['half an object', '{"name":', [400]],
  ['two objects', '{}{}', [400]],
  ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), [400]],
  ['UTF-16', Buffer.from('{"name":"x"}', 'utf16le'), [400]],
  ['a key twice', '{"name":"a","name":"b"}', [400]],
  ['a key twice in disguise', '{"name":"a","n\\u0061me":"b"}', [400]],
  ['nesting without end', deep, [400]],
  ['a prototype', '{"__proto__":{"polluted":1}}', [400]],
  ['an array', '[]', [422]],
  ['null', 'null', [422]],
  ['a number', '5', [422]],
  ['a text', '"x"', [422]],
  ['true', 'true', [422]],
  ['an unknown field', '{"no_such_field":1}', [422]],
  ['a constructor', '{"constructor":{"prototype":{"polluted":1}}}', [422]],
  ['too much', `{"name":"${'x'.repeat(200_000)}"}`, [413]],
]
const withBody = operations.filter(({ hasBody }) => hasBody)

describe('R005 every route refuses a bad body in the form of the contract, and nothing changes', () => {
  test('the routes were found', () => {
    expect(operations.length).toBeGreaterThan(25)
    expect(withBody.length).toBeGreaterThan(8)
  })
  test.each(withBody)('$method $path', async ({ method, path }) => {
    for (const [what, body, statuses] of BODIES) {
      const answer = await send(method, path.replaceAll(/\{\w+\}/g, 'nothing'), body)
      // A body that may be left away may be empty; then the thing named is looked for and is not there.
      const isOptional = what === 'nothing' && answer.status === 404
      const isServed = path.endsWith('/discovery') && what === 'nothing' && answer.status < 300
      expect({ what, status: answer.status }).toEqual({
        what,
        status: isOptional || isServed ? answer.status : expect.toBeOneOf([...statuses]),
      })
      if (!isServed) expectProblem(answer)
    }
    expect(await state()).toBe(before)
    expect(Object.prototype).not.toHaveProperty('polluted')
  })
})

const PARTS = [
  '',
  '%',
  '%00',
  '%ff',
  '%2e%2e',
  '..%2f..',
  '%0d%0aX-A:1',
  '%F0%9F%92%A9',
  '__proto__',
  'constructor',
  "'--",
].concat(['%25', '*', '$where', '%7B%7D', 'x'.repeat(600), 'x'.repeat(5000), '%ed%a0%80', ';', '%22', '-1', '1e400'])
const QUERIES = [
  '?limit=0',
  '?limit=-1',
  '?limit=1e9',
  '?limit=x',
  '?limit=5&limit=6',
  '?offset=-1',
  '?offset=NaN',
  '?x=1',
].concat(['?__proto__=1', '?__proto__[a]=1', '?constructor=1', '?limit[]=5', '?limit=%00', '?q=%ff', '?&&&==', '?%'])

describe('R005 every route survives whatever stands in its address', () => {
  test.each(operations)('$method $path', async ({ method, path, hasBody }) => {
    // Discovery with nothing in particular is an order that could be carried out.
    const body = hasBody ? (path.endsWith('/discovery') ? '5' : '{}') : undefined
    const named = path.includes('{') ? PARTS.map((part) => path.replaceAll(/\{\w+\}/g, () => part)) : []
    const asked = QUERIES.map((query) => path.replaceAll(/\{\w+\}/g, 'nothing') + query)
    for (const target of [...named, ...asked]) {
      const answer = await send(method, target, body)
      expect({ target, status: answer.status }).toEqual({ target, status: expect.toSatisfy((code) => code < 500) })
      if (answer.status >= 400) expectProblem(answer)
    }
    expect(await state()).toBe(before)
  })
})

test('R005 a request id that no log should hold is replaced', async () => {
  for (const id of ['a b', 'é', 'x'.repeat(5000), "';--"]) {
    const { headers } = await send('GET', '/api/v1/health', undefined, { 'x-request-id': id })
    expect(headers['x-request-id']).toMatch(/^[\x21-\x7e]{1,128}$/)
  }
})

/** JSON-RPC like values: right members with anything in them, and anything else. */
const anything = fc.jsonValue({ maxDepth: 4 })
const member = fc.oneof(anything, fc.constantFrom('tools/call', 'tools/list', 'initialize', 'ping', '2.0', 'name', 'x'))
const envelope = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 4, arbitrary: fc.constant('2.0') }, member),
    id: fc.oneof({ weight: 3, arbitrary: fc.integer() }, member),
    method: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('tools/call', 'prompts/get', 'completion/complete', 'initialize') },
      member,
    ),
    params: fc.oneof(
      fc.record({ name: member, uri: member, arguments: member, cursor: member, ref: member, _meta: member }),
      member,
    ),
    result: member,
    error: member,
  },
  { requiredKeys: [] },
)

test('R005 R113 no message whatever brings out a fault, a hang or an answer that is no JSON-RPC', async () => {
  const hello =
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{}}}'
  const opened = await rawExchange(port, legacyPost(hello)({ session: '' }), { answers: 1 })
  const session = opened.answers[0]!.headers['mcp-session-id']!
  const text = fc.oneof(
    envelope.map((value) => JSON.stringify(value)),
    fc.array(envelope, { maxLength: 4 }).map((value) => JSON.stringify(value)),
    fc.string({ unit: 'binary' }),
    anything.map((value) => JSON.stringify(value)),
  )
  const modern = fc.record({
    method: fc.constantFrom('tools/call', 'tools/list', 'x'),
    params: fc.dictionary(fc.string(), member),
  })
  const bytes = fc.oneof(
    text.map((body) => legacyPost(body)({ session })),
    text.map((body) =>
      legacyPost(body, { 'mcp-session-id': undefined, 'mcp-protocol-version': '2026-07-28' })({ session }),
    ),
    modern.map((parts) => modernPost({ ...parts, headers: { 'mcp-name': undefined } })),
    fc.uint8Array({ maxLength: 60 }).map((body) => legacyPost(Buffer.from(body))({ session })),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (request) => {
      const { answers, end } = await rawExchange(port, request, { answers: 1 })
      const [answer] = answers
      expect(end).toBe('answered')
      expect(answer?.status).toBeLessThan(500)
      if (answer?.status === 202) return
      const said = [JSON.parse(answer!.body) as Record<string, unknown>].flat()
      for (const each of said) {
        expect(Object.keys(each).slice(0, 2)).toEqual(['jsonrpc', 'id'])
        expect((each['error'] as { code?: number } | undefined)?.code).not.toBe(-32603)
      }
    }),
    { numRuns: 500 },
  )
})

test('R005 afterwards the log has no fault and the gateway is well', async () => {
  expect((await app.api.send('GET', 'health')).body).toMatchObject({ healthy: true })
  const faults = app.log.map((line) => JSON.parse(line) as { level: string }).filter(({ level }) => level === 'error')
  expect(faults).toEqual([])
})
