import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import type { Json } from '../support/raw-http.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'
import { startWebSocketServer, type Speaker } from '../support/websocket-server.ts'
import { freePort } from '../support/free-port.ts'

const ROOT = join(import.meta.dirname, '../..')
const EVERYTHING = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const MODERN: VersionNegotiationMode = { pin: '2026-07-28' }

const clients = [
  { name: 'legacy', mode: 'legacy' },
  { name: 'modern', mode: MODERN },
  { name: 'auto', mode: 'auto' },
] as const satisfies readonly { name: string; mode: VersionNegotiationMode }[]

const SEPARATORS = 'line\u2028paragraph\u2029end'

function sdkClient(mode: VersionNegotiationMode): Client {
  const capabilities = { elicitation: {}, sampling: {}, roots: {} }
  const client = new Client({ name: 'test', version: '1' }, { capabilities, versionNegotiation: { mode } })
  client.setRequestHandler('elicitation/create', ({ params }) => ({
    action: 'accept',
    content: { answer: `seen: ${params.message}` },
  }))
  client.setRequestHandler('sampling/createMessage', () => ({
    role: 'assistant',
    model: 'test',
    content: { type: 'text', text: 'Paris' },
  }))
  return client
}

async function text(client: Client, name: string, args: Json = {}): Promise<unknown> {
  const [first] = (await client.callTool({ name, arguments: args })).content
  return first?.type === 'text' ? first.text : first
}

/** What every client does first, and what it is told of. */
async function exercise(client: Client): Promise<void> {
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('fix__echo')
  expect(await text(client, 'fix__echo', { message: SEPARATORS })).toBe(SEPARATORS)
  expect(await text(client, 'fix__elicit_marker', { marker: 'm1' })).toBe('m1:seen: Answer for m1')
  expect(await text(client, 'fix__test_sampling', { prompt: 'capital?' })).toBe('LLM response: Paris')
  expect(await text(client, 'fix__test_x_mcp_header', { region: 'Ötztal' })).toContain('Ötztal')
  expect((await client.readResource({ uri: 'test://static-text' })).contents).toHaveLength(1)
  expect((await client.getPrompt({ name: 'fix__test_simple_prompt' })).messages).toHaveLength(1)
  const progress: number[] = []
  const report = { name: 'fix__report_marker', arguments: { marker: 'm', total: 3 } }
  await client.callTool(report, { onprogress: ({ progress: each }) => void progress.push(each) })
  // The SDK drops what it reads in one go with the answer.
  expect([1, 2, 3].slice(0, progress.length)).toEqual(progress)
  const signal = AbortSignal.timeout(100)
  await expect(client.callTool({ name: 'fix__slow', arguments: { ms: 60_000 } }, { signal })).rejects.toThrow()
  const stats = async () => JSON.parse(String(await text(client, 'fix__stats'))) as { cancellations: number }
  await until('the cancelled call has ended at the server', async () => (await stats()).cancellations > 0)
}

async function served(cleanup: AsyncDisposableStack): Promise<TestApp> {
  const fixture = cleanup.use(await startFixture({ era: 'both' }))
  const app = cleanup.use(await startTestApp({ file: { servers: { fix: { url: fixture.url } } } }))
  await app.api.online('fix')
  return app
}

test.each(clients)('the SDK’s $name client works over Streamable HTTP (R110)', async ({ mode }) => {
  await using cleanup = new AsyncDisposableStack()
  const app = await served(cleanup)
  const client = sdkClient(mode)
  cleanup.defer(() => client.close())
  await client.connect(new StreamableHTTPClientTransport(new URL(app.listening.mcp)))
  await exercise(client)
})

function stdioTransport(...args: string[]): StdioClientTransport {
  const metamcp = join(ROOT, 'bin/metamcp.js')
  return new StdioClientTransport({ command: process.execPath, args: [metamcp, 'stdio', ...args], stderr: 'ignore' })
}

test.each(clients.slice(0, 2))(
  'the SDK’s $name client works over metamcp stdio with a gateway of its own (R110)',
  async ({ mode }) => {
    await using cleanup = new AsyncDisposableStack()
    const fixture = cleanup.use(await startFixture({ era: 'both' }))
    const directory = cleanup.use(await newDirectory())
    const config = join(directory.path, 'metamcp.json')
    await writeFile(config, JSON.stringify({ servers: { fix: { url: fixture.url } } }))
    const client = sdkClient(mode)
    cleanup.defer(() => client.close())
    await client.connect(stdioTransport('--config', config, '--data-dir', join(directory.path, 'data')))
    await until('its servers are there', async () => (await client.listTools()).tools.length > 0)
    await exercise(client)
  },
)

test.each(clients)(
  'the SDK’s $name client works over metamcp stdio in front of a running gateway (R110)',
  async ({ mode }) => {
    await using cleanup = new AsyncDisposableStack()
    const app = await served(cleanup)
    const client = sdkClient(mode)
    cleanup.defer(() => client.close())
    await client.connect(stdioTransport('--data-dir', join(app.directory, 'data')))
    await exercise(client)
  },
)

test('metamcp stdio serves a client whose first wish is a version that nobody knows (R113)', async () => {
  await using cleanup = new AsyncDisposableStack()
  const app = await served(cleanup)
  const args = [join(ROOT, 'bin/metamcp.js'), 'stdio', '--data-dir', join(app.directory, 'data')]
  const env = { PATH: process.env['PATH'] }
  const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
  cleanup.defer(async () => void child.kill('SIGKILL'))
  const params = { protocolVersion: '2099-01-01', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
  for (const message of [
    { jsonrpc: '2.0', id: 1, method: 'initialize', params },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'ping' },
  ])
    child.stdin.write(`${JSON.stringify(message)}\n`)
  child.stdin.end()
  const lines = (await readText(child.stdout)).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as Json)).toMatchObject([
    { id: 1, result: { protocolVersion: '2025-11-25' } },
    { id: 2, result: {} },
  ])
})

test('the SDK’s version 1 client lists and calls over HTTP+SSE, and hears of changes (R110, R112)', async () => {
  await using cleanup = new AsyncDisposableStack()
  const app = await served(cleanup)
  const client = new ClientV1({ name: 'v1', version: '1' })
  cleanup.defer(() => client.close())
  await client.connect(new SSEClientTransport(new URL('/sse', app.listening.url)))
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('fix__echo')
  const { content } = await client.callTool({ name: 'fix__echo', arguments: { message: SEPARATORS } })
  expect(content).toEqual([{ type: 'text', text: SEPARATORS }])
  const heard: string[] = []
  client.fallbackNotificationHandler = async ({ method }) => void heard.push(method)
  await client.callTool({ name: 'fix__test_trigger_tool_change' })
  await until('list_changed', () => heard.includes('notifications/tools/list_changed'))
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('fix__test_dynamic_tool')
})

test.each([
  ...clients.map((each) => ({ ...each, way: 'http' })),
  ...clients.slice(0, 2).map((each) => ({ ...each, way: 'stdio' })),
])(
  'a tool that appears at a server appears at the $name client over $way, with word of it (R112)',
  async ({ mode, way }) => {
    await using cleanup = new AsyncDisposableStack()
    const app = await served(cleanup)
    const changed = Promise.withResolvers<void>()
    const listChanged = { tools: { onChanged: () => changed.resolve(), autoRefresh: false, debounceMs: 0 } }
    const client = new Client({ name: 'test', version: '1' }, { listChanged, versionNegotiation: { mode } })
    cleanup.defer(() => client.close())
    await client.connect(
      way === 'http'
        ? new StreamableHTTPClientTransport(new URL(app.listening.mcp))
        : stdioTransport('--data-dir', join(app.directory, 'data')),
    )
    await client.callTool({ name: 'fix__test_trigger_tool_change' })
    await changed.promise
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('fix__test_dynamic_tool')
  },
)

test.each(['stdio', 'streamableHttp', 'sse'] as const)(
  'the published everything server works behind the gateway over %s (R121)',
  async (way) => {
    await using cleanup = new AsyncDisposableStack()
    const port = await freePort()
    const path = way === 'sse' ? 'sse' : 'mcp'
    const server =
      way === 'stdio'
        ? { command: process.execPath, args: [EVERYTHING, 'stdio'] }
        : { url: `http://127.0.0.1:${port}/${path}` }
    if (way !== 'stdio') cleanup.use(await startServer(way, port))
    const app = cleanup.use(await startTestApp({ file: { servers: { all: server } } }))
    await app.api.online('all')
    const client = sdkClient('legacy')
    cleanup.defer(() => client.close())
    await client.connect(new StreamableHTTPClientTransport(new URL(app.listening.mcp)))
    expect((await client.listTools()).tools.length).toBeGreaterThan(8)
    expect(await text(client, 'all__echo', { message: 'hi' })).toBe('Echo: hi')
    expect((await client.listResources()).resources.length).toBeGreaterThan(0)
    expect(JSON.stringify(await client.callTool({ name: 'all__get-tiny-image' }))).toContain('"type":"image"')
    expect(await serversOf(app)).toMatchObject([
      { status: 'online', transport: way === 'streamableHttp' ? 'streamable-http' : way },
    ])
  },
)

test('a server on a WebSocket works behind the gateway (R121)', async () => {
  await using cleanup = new AsyncDisposableStack()
  const sockets = cleanup.use(await startWebSocketServer(echoServer))
  const app = cleanup.use(
    await startTestApp({ file: { servers: { ws: { url: sockets.url, transport: 'websocket' } } } }),
  )
  await app.api.online('ws')
  const client = sdkClient('legacy')
  cleanup.defer(() => client.close())
  await client.connect(new StreamableHTTPClientTransport(new URL(app.listening.mcp)))
  expect(await text(client, 'ws__say', { word: 'ü'.repeat(70_000) })).toBe('ü'.repeat(70_000))
  expect(await serversOf(app)).toMatchObject([{ transport: 'websocket' }])
})

async function serversOf({ api }: TestApp): Promise<readonly Json[]> {
  const { servers } = JSON.parse((await api.send('GET', 'proxy/servers')).text) as { servers: Json[] }
  return servers
}

const echoServer: Speaker = (message, send) => {
  const { id, method, params } = JSON.parse(message) as { id?: number; method: string; params?: { arguments?: Json } }
  if (id === undefined) return
  const results: Readonly<Record<string, Json>> = {
    initialize: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'ws', version: '1' },
    },
    'tools/list': { tools: [{ name: 'say', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: params?.arguments?.['word'] }] },
  }
  const result = results[method]
  send(JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'No' } }) }))
}

async function startServer(way: string, port: number): Promise<AsyncDisposable> {
  const env = { ...process.env, PORT: String(port) }
  const child = spawn(process.execPath, [EVERYTHING, way], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  const ready = Promise.withResolvers<void>()
  child.stderr.on('data', (chunk: Buffer) => {
    if (chunk.includes('on port')) ready.resolve()
  })
  await Promise.race([ready.promise, ended.then(() => Promise.reject(new Error(`${way} did not start`)))])
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
