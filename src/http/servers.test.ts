import { expect, test } from 'vitest'
import { AppError } from '#kernel/errors'
import type { UpstreamLogLine, UpstreamStatus } from '#registry/upstream-status'
import { addServer, ONLINE, openTestApi, type TestApi } from '../../test/support/test-api.ts'

const BASE = '/api/v1/proxy/servers'
const STDIO = { name: 'files', command: 'node', args: ['files.js', '--token=hush1'], env: { API_KEY: 'hush2' } }
const REMOTE = {
  name: 'remote',
  url: 'https://user:hush3@mcp.example/mcp?api_key=hush4&page=1',
  headers: { Authorization: 'Bearer hush5' },
}
const add = (t: TestApi, body: object) => t.send('POST', BASE, body)

test('R043 servers are listed with their true status and number of tools', async () => {
  const statuses: Record<string, UpstreamStatus> = {}
  const upstreams = { status: (id: string) => statuses[id] ?? ONLINE, logs: () => [], restart: () => Promise.resolve() }
  await using t = await openTestApi({ upstreams })
  const files = await addServer(t, 'files', ['read', 'write'])
  const dead = await addServer(t, 'dead', [])
  statuses[dead.id] = {
    ...ONLINE,
    state: 'offline',
    reason: 'It cannot be started',
    lastError: 'ENOENT',
    nextRetryAt: 0,
  }
  const { body } = await t.send('GET', BASE)
  expect(body).toMatchObject({
    servers: [
      {
        server_id: files.id,
        name: 'files',
        transport: 'stdio',
        era: 'legacy',
        protocol_version: '2025-11-25',
        status: 'online',
        last_error: null,
        next_retry_at: null,
        tool_count: 2,
        prefix: 'files',
        enabled: true,
        origin: 'api',
      },
      {
        name: 'dead',
        status: 'offline',
        status_reason: 'It cannot be started',
        last_error: 'ENOENT',
        next_retry_at: '1970-01-01T00:00:00.000Z',
        tool_count: 0,
      },
    ],
    total: 2,
    limit: 100,
    offset: 0,
  })
  expect((await t.send('GET', `${BASE}?limit=1&offset=1`)).body).toMatchObject({
    servers: [{ name: 'dead' }],
    total: 2,
  })
})

test('R044 one server shows how it is reached, its tools and processes, and no secret', async () => {
  await using t = await openTestApi()
  await addServer(t, 'files', ['read'])
  for (const key of ['files', t.deps.registry.upstreams.get('files').id]) {
    const { text, body } = await t.send('GET', `${BASE}/${key}`)
    expect(body).toMatchObject({
      transport: 'stdio',
      last_error: null,
      command: 'node',
      args: ['server.js'],
      env: { API_KEY: '***' },
      pids: [4242],
      tools: [{ name: 'files__read', original_name: 'read', description: 'Does read' }],
    })
    expect(text).not.toContain('sk-very-secret')
  }
  expect(await t.send('GET', `${BASE}/nobody`)).toMatchObject({ status: 404, body: { error: 'not_found' } })
})

test('R044 R045 no answer about a server holds a secret that it was given', async () => {
  const said = (id: string) =>
    t.deps.registry.upstreams.get(id).name === 'files' ? 'API_KEY=hush-two' : 'Bearer hush-five, ?api_key=hush-four'
  const logs = (id: string): UpstreamLogLine[] => [{ at: 1, source: 'stderr', text: said(id) }]
  const status = (id: string) => ({ ...ONLINE, state: 'offline', reason: said(id), lastError: said(id) }) as const
  await using t = await openTestApi({ upstreams: { status, logs, restart: () => Promise.resolve() } })
  const stdio = { ...STDIO, args: ['a.js', '--token=hush-one', '--api-key', 'hush-six'], env: { API_KEY: 'hush-two' } }
  const remote = {
    ...REMOTE,
    url: 'https://u:hush-three@mcp.example/?api_key=hush-four',
    headers: { Authorization: 'Bearer hush-five' },
  }
  const texts = [await add(t, stdio), await add(t, remote)]
  for (const url of ['', '/files', '/remote', '/remote/logs', '/files/logs'])
    texts.push(await t.send('GET', BASE + url))
  texts.push(await t.send('PATCH', `${BASE}/files`, { enabled: true }), await t.send('GET', '/api/v1/health/detailed'))
  const all = texts.map(({ text }) => text).join('\n')
  expect(all.match(/hush-\w+/g)).toBeNull()
})

test('R045 a server lives: added, replaced, changed, removed, its name free again', async () => {
  await using t = await openTestApi()
  const added = await add(t, STDIO)
  expect(added).toMatchObject({
    status: 201,
    body: { name: 'files', prefix: 'files', transport: 'stdio', timeout_ms: 30_000 },
  })
  expect((await add(t, STDIO)).status).toBe(409)
  expect(
    (await t.send('PATCH', `${BASE}/files`, { description: 'Files', timeout_ms: 5, prefix: '' })).body,
  ).toMatchObject({
    description: 'Files',
    timeout_ms: 5,
    prefix: '',
  })
  const replaced = await t.send('PUT', `${BASE}/files`, {
    command: 'node',
    args: ['b.js'],
    era: 'modern',
    share: 'never',
  })
  expect(replaced.body).toMatchObject({
    name: 'files',
    args: ['b.js'],
    share: 'never',
    description: null,
    timeout_ms: 30_000,
    prefix: 'files',
  })
  expect(t.deps.registry.upstreams.get('files')).toMatchObject({ era: 'modern', connection: { env: {} } })
  expect((await t.send('DELETE', `${BASE}/files`)).status).toBe(204)
  expect((await t.send('GET', `${BASE}/files`)).status).toBe(404)
  expect((await t.send('DELETE', `${BASE}/files`)).status).toBe(404)
  expect((await add(t, STDIO)).status).toBe(201)
})

test('*** keeps the secrets of a server while it stays where it is', async () => {
  await using t = await openTestApi()
  await add(t, STDIO)
  await add(t, REMOTE)
  const connection = (name: string) => t.deps.registry.upstreams.get(name).connection
  for (const name of ['files', 'remote']) {
    const { command, args, env, url, headers } = (await t.send('GET', `${BASE}/${name}`)).body as Record<
      string,
      unknown
    >
    const before = connection(name)
    expect((await t.send('PUT', `${BASE}/${name}`, { command, args, env, url, headers, enabled: false })).status).toBe(
      200,
    )
    expect(connection(name)).toEqual(before)
  }
  await t.send('PATCH', `${BASE}/files`, { env: { API_KEY: '***', MORE: '1' } })
  expect(connection('files')).toMatchObject({ env: { API_KEY: 'hush2', MORE: '1' }, args: STDIO.args })
})

test('a ws or wss address is a WebSocket, also where nobody says so', async () => {
  await using t = await openTestApi()
  const transport = async (body: object) => (await add(t, { name: crypto.randomUUID(), ...body })).body
  expect(await transport({ url: 'wss://mcp.example/' })).toMatchObject({ transport: 'websocket' })
  expect(await transport({ url: 'ws://mcp.example/', transport: 'auto' })).toMatchObject({ transport: 'websocket' })
  expect(await transport({ url: 'https://mcp.example/' })).toMatchObject({ transport: 'auto' })
})

test('a change keeps the members of a connection that it does not name', async () => {
  await using t = await openTestApi()
  await add(t, { name: 'remote', url: 'https://mcp.example/', transport: 'sse', headers: { 'X-A': '1' } })
  await add(t, { ...STDIO, cwd: '/tmp' })
  const change = (name: string, body: object) => t.send('PATCH', `${BASE}/${name}`, body)
  await change('remote', { headers: { 'X-B': '2' } })
  await change('files', { args: [] })
  const connections = t.deps.registry.upstreams.list().map(({ connection }) => connection)
  expect(connections).toEqual([
    { kind: 'http', url: 'https://mcp.example/', transport: 'sse', headers: { 'X-B': '2' } },
    { kind: 'stdio', command: 'node', args: [], env: STDIO.env, cwd: '/tmp' },
  ])
  await change('remote', { command: 'node' })
  expect(t.deps.registry.upstreams.get('remote').connection).toEqual({
    kind: 'stdio',
    command: 'node',
    args: [],
    env: {},
  })
})

test.each([
  ['PUT', 'remote', { url: 'https://evil.example/', headers: { Authorization: '***' } }],
  ['PATCH', 'remote', { url: 'https://evil.example/' }],
  ['PATCH', 'remote', { url: 'http://mcp.example/', headers: { Authorization: '***' } }],
  ['PATCH', 'remote', { url: 'https://u:***@evil.example/' }],
  ['PATCH', 'files', { command: '/tmp/evil', args: [] }],
  ['PATCH', 'files', { args: ['print-arguments.js', '--token=***'] }],
  ['PUT', 'files', { command: 'node', env: { OTHER: '***' } }],
] as const)('a kept secret goes nowhere else: %s %s %o is refused', async (method, name, body) => {
  await using t = await openTestApi()
  await add(t, STDIO)
  await add(t, REMOTE)
  expect(await t.send(method, `${BASE}/${name}`, body)).toMatchObject({
    status: 422,
    body: { error: 'validation_error' },
  })
})

test.each([
  ['neither command nor url', { name: 'x' }],
  ['command and url', { name: 'x', command: 'node', url: 'https://a.example/' }],
  ['headers for a command', { name: 'x', command: 'node', headers: {} }],
  ['env for a url', { name: 'x', url: 'https://a.example/', env: {} }],
  ['the transport sse for a command', { name: 'x', command: 'node', transport: 'sse' }],
  ['the transport stdio for a url', { name: 'x', url: 'https://a.example/', transport: 'stdio' }],
  ['a url of another scheme', { name: 'x', url: 'file:///etc/passwd' }],
  ['a prefix that is no part of a name', { name: 'x', command: 'node', prefix: 'a b' }],
  ['an unknown field', { name: 'x', command: 'node', password: 'y' }],
])('R160 a server with %s is refused', async (_what, body) => {
  await using t = await openTestApi()
  expect(await add(t, body)).toMatchObject({ status: 422, body: { error: 'validation_error' } })
})

test('what the rules do not admit is not started', async () => {
  const refusal = new AppError('policy_violation', 'Commands belong into the file of the operator')
  await using t = await openTestApi({ admit: () => Promise.reject(refusal) })
  expect(await add(t, STDIO)).toMatchObject({ status: 403, body: { error: 'policy_violation' } })
  const { id } = await addServer(t, 'known', [])
  expect((await t.send('PUT', `${BASE}/${id}`, { command: 'node', args: ['-e', 'x'] })).status).toBe(403)
  expect((await t.send('PATCH', `${BASE}/${id}`, { args: ['-e', 'x'] })).status).toBe(403)
  expect((await t.send('PATCH', `${BASE}/${id}`, { enabled: false })).status).toBe(200)
})

test('a restart answers how it ended, and a disabled server is not restarted', async () => {
  const restarted: string[] = []
  const restart = (id: string) => Promise.resolve(void restarted.push(id))
  await using t = await openTestApi({ upstreams: { status: () => ONLINE, logs: () => [], restart } })
  const { id } = await addServer(t, 'files', [])
  expect(await t.send('POST', `${BASE}/files/restart`)).toMatchObject({ status: 200, body: { status: 'online' } })
  await t.send('PATCH', `${BASE}/files`, { enabled: false })
  expect((await t.send('POST', `${BASE}/files/restart`)).status).toBe(409)
  expect((await t.send('POST', `${BASE}/nobody/restart`)).status).toBe(404)
  expect(restarted).toEqual([id])
})

test('the log of a server ends with its newest line, and pages go back from there', async () => {
  const lines: UpstreamLogLine[] = [0, 1, 2, 3].map((at) => ({ at, source: 'stderr', text: `line ${at}` }))
  await using t = await openTestApi({
    upstreams: { status: () => ONLINE, logs: () => lines, restart: () => Promise.resolve() },
  })
  await addServer(t, 'files', [])
  const texts = async (query: string) => {
    const { body } = await t.send('GET', `${BASE}/files/logs?${query}`)
    return (body as { lines: { text: string }[] }).lines.map(({ text }) => text)
  }
  expect(await texts('limit=2')).toEqual(['line 2', 'line 3'])
  expect(await texts('limit=2&offset=2')).toEqual(['line 0', 'line 1'])
})

test('R123 discovery answers what it found, and says so where there is none', async () => {
  const found = [{ name: 'near', transport: 'streamable-http', registered: true, reason: null }]
  const asked: unknown[] = []
  await using t = await openTestApi({ discover: (source) => Promise.resolve(found).finally(() => asked.push(source)) })
  const source = { kind: 'network', hosts: ['127.0.0.1'], ports: [9001] }
  expect(await t.send('POST', '/api/v1/proxy/discovery', { source })).toMatchObject({
    status: 200,
    body: { servers: found, total: 1 },
  })
  await t.send('POST', '/api/v1/proxy/discovery', {})
  expect(asked).toEqual([{ ...source, path: '/mcp' }, undefined])
  await using none = await openTestApi()
  expect((await none.send('POST', '/api/v1/proxy/discovery', {})).status).toBe(503)
})
