import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { DEAD_URL, startBackend } from '../support/recording-backend.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const OBJECT = { type: 'object' }

/** A gateway whose file offers the routes of a recording backend as tools. */
async function startWithTools(tools: (url: string) => Record<string, object>, env: Record<string, string> = {}) {
  await using cleanup = new AsyncDisposableStack()
  const backend = cleanup.use(await startBackend())
  const gateway = cleanup.use(await startTestApp({ file: { tools: tools(backend.url) }, env }))
  const kept = cleanup.move()
  return { backend, gateway, api: gateway.api, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test('R004, R051: each argument reaches the place of the request that the mapping names, and the answer comes back', async () => {
  await using it = await startWithTools((url) => ({
    order: {
      endpoint: `${url}/shops/{shop}/orders?source=gateway`,
      method: 'PUT',
      headers: { 'X-Key': 'k1' },
      mapping: { dry: 'query', lang: 'header' },
      inputSchema: OBJECT,
    },
  }))
  it.backend.on('/shops/a%20b%2Fc/orders', '{"ok":true,"id":7}')
  const reply = await it.api.execute('order', { shop: 'a b/c', dry: true, lang: 'de', item: 'ü', count: 2 })
  expect(reply.status).toBe(200)
  expect(reply.body.result).toEqual({
    content: [{ type: 'text', text: '{"ok":true,"id":7}' }],
    structuredContent: { ok: true, id: 7 },
  })
  expect(it.backend.seen).toHaveLength(1)
  expect(it.backend.seen[0]).toMatchObject({
    method: 'PUT',
    path: '/shops/a%20b%2Fc/orders',
    query: 'source=gateway&dry=true',
    body: '{"item":"ü","count":2}',
    headers: { 'x-key': 'k1', lang: 'de', 'content-type': 'application/json' },
  })
})

test('R004: numbers beyond 2^53 reach body, path, query and lists, and come back, to the last digit', async () => {
  await using it = await startWithTools((url) => ({
    body: { endpoint: `${url}/body`, inputSchema: OBJECT },
    places: { endpoint: `${url}/users/{id}`, method: 'GET', inputSchema: OBJECT },
  }))
  it.backend.on('/body', '{"id":12345678901234567890,"rate":1.10}')
  it.backend.on('/users/12345678901234567890', '{}')
  const reply = await it.api.execute('body', '{"id": 12345678901234567890, "rate": 1.10}')
  expect(reply.text).toContain('"structuredContent":{"id":12345678901234567890,"rate":1.10}')
  await it.api.execute('places', '{"id":12345678901234567890,"since":9007199254740993,"ids":[9007199254740993,1.0]}')
  expect(it.backend.seen[0]?.body).toMatch(/"id": 12345678901234567890,\s*"rate": 1.10/)
  expect(it.backend.seen[1]).toMatchObject({
    path: '/users/12345678901234567890',
    query: 'since=9007199254740993&ids=9007199254740993&ids=1.0',
  })
})

test('R037, R051: an argument cannot leave its place in the address', async () => {
  await using it = await startWithTools((url) => ({
    book: { endpoint: `${url}/public/{id}/page`, method: 'GET', inputSchema: OBJECT },
  }))
  for (const id of ['..', '.', '%2e%2e', '../../private', '..\\..', '?x=1', '#x', 'a\tb', 'ü\n']) {
    const { status } = await it.api.execute('book', { id })
    expect([200, 422], JSON.stringify(id)).toContain(status)
  }
  const paths = it.backend.seen.map(({ path, query }) => `${path}?${query}`)
  for (const path of paths) expect(path).toMatch(/^\/public\/[^/]+\/page\?$/)
})

test('R037: arguments that the schema refuses are a 422, and the backend sees nothing', async () => {
  await using it = await startWithTools((url) => ({
    strict: {
      endpoint: `${url}/strict`,
      inputSchema: {
        type: 'object',
        properties: { n: { type: 'integer', minimum: 1 } },
        required: ['n'],
        additionalProperties: false,
      },
    },
    place: { endpoint: `${url}/x/{id}`, method: 'GET', inputSchema: OBJECT },
    header: { endpoint: `${url}/h`, mapping: { token: 'header' }, inputSchema: OBJECT },
  }))
  it.backend.on('/strict', '{}')
  for (const args of [{}, { n: 0 }, { n: '1' }, { n: 1, more: true }]) {
    const { status, body } = await it.api.execute('strict', args)
    expect(status).toBe(422)
    expect(body.error).toBe('validation_error')
  }
  for (const [tool, args] of [
    ['place', {}],
    ['header', { token: 'a\r\nHost: b' }],
    ['header', { token: '世界' }],
  ] as const) {
    expect((await it.api.execute(tool, args)).status).toBe(422)
  }
  expect(it.backend.seen).toEqual([])
  expect((await it.api.execute('strict', { n: 1 })).status).toBe(200)
})

test('R051: a port at which nothing listens is an error, never a success', async () => {
  await using it = await startWithTools(() => ({ dead: { endpoint: DEAD_URL, inputSchema: OBJECT } }))
  const { status, body } = await it.api.execute('dead')
  expect(status).toBe(502)
  expect(body).toMatchObject({ error: 'upstream_unavailable', details: { tool: 'dead' } })
  expect(body.message).toMatch(/connection refused/i)
  expect(body.status).toBeUndefined()
})

test.each([
  ['a client error', 404, '{"why":"no such book"}'],
  ['a server error', 503, 'try later'],
  ['a redirect, which is not followed', 302, ''],
])('R037: %s of the backend is an error with what it said', async (_what, status, text) => {
  await using it = await startWithTools((url) => ({
    tool: { endpoint: `${url}/a`, method: 'GET', inputSchema: OBJECT },
  }))
  it.backend.on('/a', (response) => response.writeHead(status, { location: `${it.backend.url}/b` }).end(text))
  it.backend.on('/b', '{"leaked":true}')
  const { body } = await it.api.execute('tool')
  expect(body).toMatchObject({ status: 'error', is_error: true, result: { isError: true } })
  expect(body.result.content[0]?.text).toContain(`HTTP ${status}${text === '' ? '' : `: ${text}`}`)
  expect(it.backend.seen.map(({ path }) => path)).toEqual(['/a'])
})

test.each([
  ['says nothing', () => undefined],
  [
    'drips one byte at a time for ever',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    },
  ],
])('R037: a backend that %s ends with the timeout, and its connection with it', async (_what, answer) => {
  await using it = await startWithTools((url) => ({
    slow: { endpoint: `${url}/slow`, inputSchema: OBJECT, timeoutMs: 300 },
  }))
  let isClosed = false
  it.backend.on('/slow', (response) => {
    response.on('close', () => (isClosed = true))
    answer(response)
  })
  const startedAt = Date.now()
  const { status, body } = await it.api.execute('slow')
  expect(status).toBe(504)
  expect(body.error).toBe('timeout')
  expect(Date.now() - startedAt).toBeLessThan(3000)
  await until('the connection is closed', () => isClosed)
})

test.each([
  ['at once', (chunk: string) => [chunk]],
  ['in pieces without a length', (chunk: string) => chunk.match(/.{1,20000}/gs) ?? []],
])('R051: an answer over the size limit that comes %s is refused, not cut', async (_what, pieces) => {
  await using it = await startWithTools((url) => ({ big: { endpoint: `${url}/big`, inputSchema: OBJECT } }), {
    META_MCP_MAX_RESULT_BYTES: '100000',
  })
  it.backend.on('/big', (response) => {
    for (const piece of pieces('x'.repeat(150_000))) response.write(piece)
    response.end()
  })
  const { status, body } = await it.api.execute('big')
  expect(status).toBe(502)
  expect(body.error).toBe('upstream_protocol_error')
})

test.each([
  ['text/plain', 'hello', undefined],
  ['application/json', '[1,2]', undefined],
  ['application/json; charset=utf-8', '{"a":1}', { a: 1 }],
  ['application/json', '{broken', undefined],
  ['application/json', '', undefined],
  ['text/event-stream', 'data: one\n\ndata: two\n\n', undefined],
])(
  'R051: an answer of type %s becomes text, and structured content where it is a JSON object',
  async (type, text, structured) => {
    await using it = await startWithTools((url) => ({ tool: { endpoint: `${url}/a`, inputSchema: OBJECT } }))
    it.backend.on('/a', (response) => response.writeHead(200, { 'content-type': type }).end(text))
    const { body } = await it.api.execute('tool')
    const shown = type === 'text/event-stream' ? 'one\ntwo\n' : text
    expect(body.result).toEqual({
      content: [{ type: 'text', text: shown }],
      ...(structured ? { structuredContent: structured } : {}),
    })
  },
)

test('R051: a backend that dies in the middle of its answer is an error', async () => {
  await using it = await startWithTools((url) => ({ tool: { endpoint: `${url}/a`, inputSchema: OBJECT } }))
  it.backend.on('/a', (response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"half":')
    response.socket?.destroy()
  })
  const { status, body } = await it.api.execute('tool')
  expect([status, body.error]).toEqual([502, 'upstream_unavailable'])
})

test.each(['null', '[1]', '5', '"text"'])(
  'R051: arguments that are no object (%s) are refused over MCP as well, and the backend sees nothing',
  async (args) => {
    await using it = await startWithTools((url) => ({ tool: { endpoint: `${url}/a`, inputSchema: OBJECT } }))
    it.backend.on('/a', '{}')
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const response = await fetch(it.gateway.listening.mcp, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'tool',
      },
      body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tool","arguments":${args},"_meta":${JSON.stringify(meta)}}}`,
      signal: AbortSignal.timeout(5000),
    })
    expect(await response.text()).toContain('-32602')
    expect(it.backend.seen).toEqual([])
  },
)
