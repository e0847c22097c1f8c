import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ASKABLE, legacyRaw, MODERN, modernRaw } from '../support/raw-clients.ts'
import { rawHttp, type Exchange, type Json } from '../support/raw-http.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { startTestApp } from '../support/test-app.ts'

const TOOLS = 2500
const stack = new AsyncDisposableStack()
const http = stack.use(rawHttp())
let url = ''
let many = ''

beforeAll(async () => {
  const fixture = stack.use(await startFixture({ era: 'legacy' }))
  const big = stack.use(await manyTools())
  const file = {
    servers: { fix: { url: fixture.url, prefix: '' }, big: { url: big.url } },
    namespaces: { plain: { servers: ['fix'] }, many: { servers: ['big'] } },
  }
  const app = stack.use(await startTestApp({ file, env: { META_MCP_LOGGING_LEVEL: 'ERROR' } }))
  await app.api.online('fix', 'big')
  url = `${app.listening.mcp}/plain`
  many = `${app.listening.mcp}/many`
})
afterAll(() => stack.disposeAsync())

const post = (body: unknown, headers: Record<string, string> = {}): Promise<Exchange> =>
  http.send(url, 'POST', typeof body === 'string' ? body : JSON.stringify(body), { headers })
const codeOf = ({ messages }: Exchange): unknown => messages[0]?.error?.code

test('what is no JSON-RPC request gets the code of its fault, with the id where one is readable (R113)', async () => {
  await using client = await legacyRaw(url)
  const ask = async (body: unknown) => {
    const { status, messages } = await client.post(body)
    return { status, code: messages[0]?.error?.code, id: messages[0]?.id }
  }
  expect(await ask('{"jsonrpc":')).toEqual({ status: 400, code: -32700, id: null })
  expect(await ask('nonsense')).toEqual({ status: 400, code: -32700, id: null })
  expect(await ask({ jsonrpc: '1.0', id: 3, method: 'ping' })).toEqual({ status: 400, code: -32600, id: 3 })
  for (const body of [7, 'null', '"ping"', {}, { jsonrpc: '2.0', id: 1 }, { jsonrpc: '2.0', id: null, method: 'ping' }])
    expect(await ask(body), JSON.stringify(body)).toMatchObject({ status: 400, code: -32600, id: null })
  for (const body of [
    { jsonrpc: '2.0', id: 4, method: 5 },
    { jsonrpc: '2.0', id: 4, method: 'ping', params: [1] },
  ])
    expect(await ask(body), JSON.stringify(body)).toMatchObject({ status: 400, code: -32600 })
  for (const method of ['no/such', 'toString', '__proto__', 'server/discover'])
    expect(await ask({ jsonrpc: '2.0', id: 4, method }), method).toEqual({ status: 200, code: -32601, id: 4 })
  const invalid = [
    ['tools/call', { name: 'no_such_tool' }],
    ['tools/call', {}],
    ['tools/call', { name: 7 }],
    ['prompts/get', { name: 'no_such_prompt' }],
    ['resources/read', {}],
    ['completion/complete', { ref: 1, argument: { name: 'a', value: '' } }],
    ['logging/setLevel', { level: 'loud' }],
    ['tools/list', { cursor: 7 }],
  ] as const
  for (const [method, params] of invalid)
    expect(await ask({ jsonrpc: '2.0', id: 4, method, params }), JSON.stringify(params)).toMatchObject({ code: -32602 })
})

test('an id comes back as it was written: string, number, 0, empty, unicode, beyond 2^53 (R113)', async () => {
  await using client = await legacyRaw(url)
  for (const id of ['1', '0', '-7', '""', '"a"', '"ключ \\u0000 🗝"', '9007199254740993', '"1"', '1e2']) {
    const { text } = await client.post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)
    expect(text).toBe(`{"jsonrpc":"2.0","id":${id},"result":{}}`)
    const called = await client.post(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2}}}`,
    )
    expect(called.text).toContain(`"id":${id},`)
  }
})

test('notifications and answers get 202 and no body, known or not (R113)', async () => {
  await using client = await legacyRaw(url)
  for (const message of [
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', method: 'notifications/never-heard-of', params: { a: 1 } },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'unknown' } },
    { jsonrpc: '2.0', id: 77, result: {} },
    { jsonrpc: '2.0', id: 77, error: { code: -1, message: 'no' } },
  ])
    expect(await client.post(message)).toMatchObject({ status: 202, text: '' })
})

test.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'])(
  'initialize agrees on %s, and later requests may name it (R113)',
  async (version) => {
    await using client = await legacyRaw(url, { version })
    expect(client.hello).toMatchObject({ protocolVersion: version, serverInfo: { name: 'metamcp' } })
    expect((await client.call('tools/list')).result?.['tools']).toHaveLength(40)
  },
)

test.each(['2099-01-01', '1.0', MODERN])(
  'initialize with %s is answered with the newest legacy version (R113)',
  async (version) => {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    const { status, messages } = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
    expect({ status, version: messages[0]?.result?.['protocolVersion'] }).toEqual({
      status: 200,
      version: '2025-11-25',
    })
  },
)

test('sessions: 400 without an id, 404 for an unknown one, 400 for a version nobody knows (R113)', async () => {
  await using client = await legacyRaw(url)
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
  expect((await post(ping)).status).toBe(400)
  expect((await post(ping, { 'mcp-session-id': 'made-up' })).status).toBe(404)
  expect((await client.post(ping, { headers: { 'mcp-protocol-version': '2020-01-01' } })).status).toBe(400)
  expect((await post({ jsonrpc: '2.0', id: 1, method: 'initialize' })).messages[0]?.error?.code).toBe(-32602)
})

test('batches exist in 2025-03-26 only; there every request has its answer (R113)', async () => {
  const batch = [
    { jsonrpc: '2.0', id: 'a', method: 'ping' },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'add', arguments: { a: 1, b: 2 } } },
    { jsonrpc: '2.0', id: 3, method: 'no/such' },
    { id: 4 },
  ]
  await using old = await legacyRaw(url, { version: '2025-03-26' })
  const { status, messages } = await old.post(batch)
  expect(status).toBe(200)
  expect(messages.map(({ id, error }) => [id, error?.code])).toEqual([
    ['a', undefined],
    [2, undefined],
    [3, -32601],
    [4, -32600],
  ])
  expect(await old.post([{ jsonrpc: '2.0', method: 'notifications/initialized' }])).toMatchObject({ status: 202 })
  expect(await old.post([])).toMatchObject({ status: 400 })
  for (const version of ['2025-11-25', '2025-06-18', '2024-11-05']) {
    await using client = await legacyRaw(url, { version })
    const refused = await client.post(batch)
    expect({ status: refused.status, code: codeOf(refused) }).toEqual({ status: 400, code: -32600 })
  }
})

const claim = (version: string): Json => ({
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientCapabilities': {},
})

const body = (method: string, params: Json, version = MODERN) => ({
  jsonrpc: '2.0',
  id: 'm',
  method,
  params: { ...params, _meta: claim(version) },
})

test('a modern request whose headers or claim do not agree is refused before anything runs (R113)', async () => {
  const call = body('tools/call', { name: 'add', arguments: { a: 1, b: 2 } })
  const good = { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'add' }
  expect((await post(call, good)).messages[0]?.result).toMatchObject({ resultType: 'complete' })
  const seen = async (message: unknown, headers: Record<string, string>) => {
    const { status, messages } = await post(message, headers)
    return { status, code: messages[0]?.error?.code }
  }
  const mismatch = { status: 400, code: -32020 }
  expect(await seen(call, { ...good, 'mcp-protocol-version': '2025-11-25' })).toEqual(mismatch)
  expect(await seen(call, { ...good, 'mcp-method': 'Tools/Call' })).toEqual(mismatch)
  expect(await seen(call, { ...good, 'mcp-name': 'echo' })).toEqual(mismatch)
  expect(await seen(call, { 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call' })).toEqual(mismatch)
  const future = body('tools/list', {}, '2030-01-01')
  expect(await seen(future, { 'mcp-protocol-version': '2030-01-01', 'mcp-method': 'tools/list' })).toEqual({
    status: 400,
    code: -32022,
  })
  const unclaimed = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  expect(await seen(unclaimed, { 'mcp-protocol-version': MODERN })).toEqual({ status: 400, code: -32602 })
  const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: MODERN } }
  expect(await seen(initialize, { 'mcp-protocol-version': MODERN })).toEqual(mismatch)
  for (const gone of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe'])
    expect(await seen(body(gone, {}), { 'mcp-protocol-version': MODERN, 'mcp-method': gone })).toEqual({
      status: 404,
      code: -32601,
    })
  for (const method of ['GET', 'DELETE'] as const)
    expect((await http.send(url, method, undefined, { headers: { 'mcp-protocol-version': MODERN } })).status).toBe(405)
})

test.each(['legacy', 'modern'] as const)(
  '2,500 tools come in pages, in one order, by cursors that only the gateway can make: %s client (R113)',
  async (era) => {
    await using client = era === 'legacy' ? await legacyRaw(many) : modernRaw(many, { capabilities: ASKABLE })
    const all = async () => {
      const names: string[] = []
      const sizes: number[] = []
      let cursor: unknown
      do {
        const { result = {} } = await client.call('tools/list', cursor === undefined ? {} : { cursor })
        const tools = result['tools'] as { name: string }[]
        names.push(...tools.map(({ name }) => name))
        sizes.push(tools.length)
        cursor = result['nextCursor']
        if (cursor !== undefined) expect(cursor).not.toMatch(/tool|list|1000/)
      } while (cursor !== undefined)
      return { names, sizes }
    }
    const { names, sizes } = await all()
    expect(sizes).toEqual([1000, 1000, 500])
    expect(names).toEqual(Array.from({ length: TOOLS }, (_, index) => `big__t${index}`))
    expect((await all()).names).toEqual(names)
    const { result = {} } = await client.call('tools/list')
    const cursor = String(result['nextCursor'])
    for (const wrong of ['', 'MTAwMA', `${cursor}x`, cursor.slice(0, -4), 1000, null])
      expect((await client.call('tools/list', { cursor: wrong })).error, String(wrong)).toMatchObject({ code: -32602 })
    expect((await client.call('prompts/list', { cursor })).error).toMatchObject({ code: -32602 })
  },
)

const page = (cursor = '0'): Json => {
  const tools = Array.from({ length: 700 }, (_, index) => Number(cursor) + index)
    .filter((index) => index < TOOLS)
    .map((index) => ({ name: `t${index}`, inputSchema: { type: 'object' } }))
  const next = Number(cursor) + 700
  return { tools, ...(next < TOOLS ? { nextCursor: String(next) } : {}) }
}

/** A legacy server whose list has pages of its own. */
async function manyTools(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end()
    void readText(request).then((body) => {
      const { id, method, params } = JSON.parse(body) as Json & { params?: { cursor?: string } }
      if (id === undefined) return response.writeHead(202).end()
      const known = { initialize: HELLO, 'tools/list': page(params?.cursor) }[String(method)]
      response.writeHead(200, { 'content-type': 'application/json' })
      return response.end(JSON.stringify({ jsonrpc: '2.0', id, ...(known ? { result: known } : NOT_FOUND) }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, [Symbol.asyncDispose]: close }
}

const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'big', version: '1' },
}
const NOT_FOUND = { error: { code: -32601, message: 'Method not found' } }
