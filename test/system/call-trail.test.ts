import { expect, test } from 'vitest'
import type { ExecutionBody } from '#contract/execution'
import { callPath } from '#gateway/call-path'
import { legacyClient } from '../conformance/downstream-client.ts'
import { sick } from '../support/gateway-child.ts'
import { DEAD_URL, startBackend } from '../support/recording-backend.ts'
import { realServers } from '../support/real-servers.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`

interface Page {
  readonly executions: readonly ExecutionBody[]
  readonly total: number
}

/** The history, once it holds so many calls; newest first. */
async function history({ api }: TestApp, count: number, query = ''): Promise<readonly ExecutionBody[]> {
  let page: Page = { executions: [], total: 0 }
  await until(`${count} calls in the history`, async () => {
    page = (await api.send<Page>('GET', `executions?limit=1000${query}`)).body
    return page.total >= count
  })
  return page.executions
}

/** The links that every call passes; who only observes leaves no mark, nor does what nobody has asked for. */
const links = () =>
  callPath({} as Parameters<typeof callPath>[0]).filter(
    (row) => 'run' in row && !('appliesTo' in row) && row.name !== 'admit-audit',
  )

test('R053, R131: the history has every call with its outcome, the links that it passed in the order of the path, and filters', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({
    file: {
      servers: { everything: realServers.everything() },
      tools: {
        good: { endpoint: `${backend.url}/good` },
        bad: { endpoint: `${backend.url}/bad` },
        dead: { endpoint: DEAD_URL },
        strict: { endpoint: DEAD_URL, inputSchema: { type: 'object', required: ['x'] } },
      },
    },
  })
  const { api } = gateway
  await api.online('everything')
  backend.on('/good', '{"a":1}')
  await api.execute('good', { q: 1 }, { traceparent: TRACEPARENT })
  await api.execute('bad')
  await api.execute('dead')
  await api.execute('strict')
  await api.execute('nobody', {}, { traceparent: TRACEPARENT })
  await api.execute('everything__echo', { message: 'x' })
  const client = await legacyClient(gateway.listening.mcp)
  await client
    .request('resources/read', { uri: 'demo://resource/static/document/architecture.md' })
    .catch(() => undefined)
  await client.request('prompts/get', { name: 'everything__simple-prompt' })
  await client.close()
  const all = await history(gateway, 8)
  const one = (name: string) => all.find((each) => each.name === name)
  expect(one('good')).toMatchObject({
    status: 'success',
    is_error: false,
    error: null,
    server: 'http',
    surface: 'rest',
    principal: 'local',
    kind: 'tool',
    trace_id: TRACE,
  })
  expect(one('bad')).toMatchObject({ status: 'error', is_error: true, error: null })
  expect(one('dead')).toMatchObject({ status: 'error', is_error: false, error: 'upstream_unavailable' })
  expect(one('strict')).toMatchObject({ status: 'error', error: 'validation_error' })
  expect(one('nobody')).toMatchObject({ status: 'error', error: 'tool_not_found', server: '', trace_id: TRACE })
  expect(one('everything__echo')).toMatchObject({ status: 'success', server: 'everything' })
  expect(one('everything__simple-prompt')).toMatchObject({ kind: 'prompt', surface: 'mcp', status: 'success' })
  for (const { trace_id: id, started_at: at, duration_ms: ms } of all) {
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000)
    expect(ms).toBeGreaterThanOrEqual(0)
  }
  const order = [...links().map(({ name }) => name), 'dispatch']
  for (const name of ['good', 'bad', 'everything__echo'])
    expect(one(name)?.stages.map(({ stage }) => stage)).toEqual(order)
  const again = order.slice(order.indexOf('retry') + 1)
  expect(one('dead')?.stages.map(({ stage }) => stage)).toEqual([...order, ...again, ...again])
  expect(one('strict')?.stages.map(({ stage }) => stage)).toEqual(
    order.slice(0, order.indexOf('validate-arguments') + 1),
  )
  for (const { stages } of all) {
    const times = stages.map(({ at_ms: ms }) => ms)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  }
  const names = async (query: string) => (await history(gateway, 0, query)).map(({ name }) => name)
  expect(await names('&name=good')).toEqual(['good'])
  expect(await names('&server=everything&status=success')).toEqual(expect.arrayContaining(['everything__echo']))
  expect((await names('&status=error')).toSorted()).toEqual(expect.arrayContaining(['bad', 'dead', 'nobody', 'strict']))
  expect(await names(`&to=${new Date(0).toISOString()}`)).toEqual([])
  const { execution_id: id } = one('good')!
  expect((await api.send('GET', `executions/${id}`)).body).toMatchObject({ execution_id: id, name: 'good' })
})

test('R131, R260: the caller’s trace goes on to a plain HTTP API', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({ file: { tools: { good: { endpoint: `${backend.url}/good` } } } })
  backend.on('/good', '{}')
  await gateway.api.execute('good', {}, { traceparent: TRACEPARENT })
  await gateway.api.execute('good', {}, { traceparent: 'nonsense' })
  expect(backend.seen[0]?.headers['traceparent']).toBe(TRACEPARENT)
  expect(backend.seen[1]?.headers['traceparent']).not.toBe('nonsense')
})

test('R131: the caller’s trace goes on to an MCP server over HTTP', async () => {
  await using backend = await startBackend()
  const capabilities = { tools: {} }
  const results: Readonly<Record<string, unknown>> = {
    initialize: { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'plain', version: '1' } },
    'tools/list': { tools: [{ name: 'tool', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [] },
  }
  backend.on('/mcp', (response, { body }) => {
    const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string }
    const result = results[method ?? '']
    if (id === undefined || !method) return response.writeHead(method ? 202 : 405).end()
    const error = { code: -32601, message: 'Method not found' }
    response.writeHead(200, { 'content-type': 'application/json' })
    return response.end(JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error }) }))
  })
  await using gateway = await startTestApp({ file: { servers: { plain: { url: `${backend.url}/mcp` } } } })
  await gateway.api.online('plain')
  expect((await gateway.api.execute('plain__tool', {}, { traceparent: TRACEPARENT })).status).toBe(200)
  const call = backend.seen.find(({ body }) => body.includes('tools/call'))
  expect(call?.headers['traceparent']).toBe(TRACEPARENT)
})

test('R054: counts and times of a tool match its calls', async () => {
  await using backend = await startBackend()
  await using gateway = await startTestApp({ file: { tools: { t: { endpoint: `${backend.url}/t` } } } })
  backend.on('/t', '{}')
  for (let n = 0; n < 7; n += 1) await gateway.api.execute('t')
  backend.on('/t', (response) => response.writeHead(500).end())
  for (let n = 0; n < 3; n += 1) await gateway.api.execute('t')
  await history(gateway, 10)
  const { body } = await gateway.api.send('GET', 'tools/t/stats')
  expect(body).toMatchObject({ calls: 10, successes: 7, errors: 3, success_rate: 0.7 })
  expect(body['p50_ms']).toBeLessThanOrEqual(body['p95_ms'] as number)
})

test('R260: a request id goes from the header to the log and comes back with the failure', async () => {
  await using gateway = await startTestApp({ file: { tools: { dead: { endpoint: DEAD_URL } } } })
  const reply = await gateway.api.execute('dead', {}, { 'x-request-id': 'mine-42', traceparent: TRACEPARENT })
  expect(reply.headers.get('x-request-id')).toBe('mine-42')
  const logged = () => gateway.log.map((line) => JSON.parse(line) as Record<string, unknown>)
  await until('the request is logged', () =>
    logged().some((line) => line['request_id'] === 'mine-42' && line['msg'] === 'request'),
  )
  expect(logged().find((line) => line['msg'] === 'call failed')).toMatchObject({
    traceId: TRACE,
    name: 'dead',
    request_id: 'mine-42',
  })
})

test('R100: a call that takes longer than the operator finds good is said to be slow, by which ids it is known', async () => {
  await using gateway = await startTestApp({
    file: { servers: { healthy: sick('healthy') } },
    env: { META_MCP_SLOW_CALL_SECONDS: '0.2', META_MCP_LOGGING_LEVEL: 'WARNING' },
  })
  await gateway.api.online('healthy')
  await gateway.api.execute('healthy__echo', { said: 'x' })
  const { body } = await gateway.api.execute('healthy__slow', { ms: 300 }, { 'x-request-id': 'mine-43' })
  const slow = gateway.log.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ slow: is }) => is)
  const facts = { call_id: body.execution_id, request_id: 'mine-43', name: 'healthy__slow', server: 'healthy' }
  expect(slow).toMatchObject([
    { msg: 'slow call', level: 'warn', traceId: expect.stringMatching(/^[0-9a-f]{32}$/), ...facts },
  ])
  expect(slow[0]?.['ms']).toBeGreaterThanOrEqual(300)
})

test('R190, R259: the named errors that exist so far can each be met', async () => {
  await using gateway = await startTestApp({
    file: {
      servers: { everything: realServers.everything() },
      tools: { dead: { endpoint: DEAD_URL, inputSchema: { type: 'object', required: ['x'] } } },
    },
  })
  await gateway.api.online('everything')
  const met = async (tool: string, args: object = {}) => {
    const { status, body } = await gateway.api.execute(tool, args)
    return [status, body.error]
  }
  expect(await met('nobody')).toEqual([404, 'tool_not_found'])
  expect(await met('dead')).toEqual([422, 'validation_error'])
  expect(await met('everything__get-sum', { a: 'x' })).toEqual([422, 'validation_error'])
  expect(await met('dead', { x: 1 })).toEqual([502, 'upstream_unavailable'])
})

test('R101, R210: the log level holds from the start, changes while the gateway runs, and a wrong one is refused', async () => {
  await using gateway = await startTestApp({ env: { META_MCP_LOGGING_LEVEL: 'ERROR' } })
  const { api, log } = gateway
  await api.send('GET', 'tools')
  expect(log).toEqual([])
  expect((await api.send('PUT', 'admin/log-level', { level: 'INFO' })).body).toEqual({ level: 'INFO' })
  await api.send('GET', 'tools')
  await until('requests are logged', () => log.some((line) => line.includes('/api/v1/tools')))
  expect((await api.send('PUT', 'admin/log-level', { level: 'LOUD' })).status).toBe(422)
  expect((await api.send('PUT', 'admin/log-level', { level: 'ERROR' })).body).toEqual({ level: 'ERROR' })
  await until('the change itself is logged', () => log.some((line) => line.includes('log-level')), 500).catch(
    () => undefined,
  )
  const count = log.length
  await api.send('GET', 'tools')
  await api.send('GET', 'tools')
  expect(log.slice(count).filter((line) => line.includes('"info"'))).toEqual([])
})

test('R100, R103, R202: log lines are JSON with level, time and duration; neither they nor answers hold a stack, also with debug', async () => {
  await using gateway = await startTestApp({
    env: { META_MCP_DEBUG: 'true' },
    file: { tools: { dead: { endpoint: DEAD_URL } } },
  })
  const replies = [
    await gateway.api.execute('dead'),
    await gateway.api.send('POST', 'tools', '{broken'),
    await gateway.api.send('GET', '/nowhere'),
  ]
  for (const { text, status } of replies) {
    expect(status).toBeGreaterThanOrEqual(400)
    expect(text).not.toMatch(/\n\s+at |node_modules|\.ts:\d/)
  }
  await until('all are logged', () => gateway.log.filter((line) => line.includes('"msg":"request"')).length >= 3)
  for (const line of gateway.log) {
    const record = JSON.parse(line) as Record<string, unknown>
    expect(['debug', 'info', 'warn', 'error']).toContain(record['level'])
    expect(Date.parse(record['time'] as string)).toBeGreaterThan(0)
    if (record['msg'] === 'request')
      expect(record).toMatchObject({ request_id: expect.any(String), ms: expect.any(Number) })
  }
})

test('R014: the gateway’s own description lists the methods that each address takes, and no other', async () => {
  await using gateway = await startTestApp()
  const { body } = await gateway.api.send<{ paths: Record<string, Record<string, unknown>> }>('GET', '/openapi.json')
  expect(Object.keys(body.paths).length).toBeGreaterThan(15)
  for (const [path, operations] of Object.entries(body.paths)) {
    const listed = new Set(Object.keys(operations).map((method) => method.toUpperCase()))
    const { status, headers } = await gateway.api.send('PROPFIND' as 'GET', path.replaceAll(/\{\w+\}/g, 'x'))
    const allowed = (headers.get('allow') ?? '').split(', ').filter((method) => method !== 'HEAD')
    expect([status, new Set(allowed)], path).toEqual([405, listed])
  }
})
