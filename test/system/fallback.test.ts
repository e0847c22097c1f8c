import { expect, test } from 'vitest'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { legacyRaw } from '../support/raw-clients.ts'
import { DEAD_URL, startBackend } from '../support/recording-backend.ts'
import { startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const OBJECT = { type: 'object' }
const ENV = { META_MCP_TOOL_TIMEOUT_SECONDS: '5' }

interface ExecutionBody {
  readonly name: string
  readonly server: string
  readonly status: string
  readonly attempts: number
  readonly fallback: string | null
  readonly error: string | null
}

interface Tools {
  readonly [name: string]: object
}

async function start(tools: (url: string, dead: string) => Tools, guards: readonly object[] = []) {
  await using cleanup = new AsyncDisposableStack()
  const backend = cleanup.use(await startBackend())
  const fixture = cleanup.use(await startFixture({ era: 'both' }))
  const servers = { up: { url: fixture.url, start: 'eager' } }
  const file = { servers, guards, tools: tools(backend.url, DEAD_URL) }
  const gateway = cleanup.use(await startTestApp({ file, env: ENV }))
  await gateway.api.online('up')
  const kept = cleanup.move()
  const last = async (): Promise<ExecutionBody | undefined> => {
    const { body } = await gateway.api.send<{ executions: ExecutionBody[] }>('GET', 'executions')
    return body.executions[0]
  }
  return { backend, gateway, api: gateway.api, last, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test('R176: another tool answers where the first cannot, and result, answer and history say so', async () => {
  await using it = await start((_url, dead) => ({
    say: { endpoint: `${dead}/say`, inputSchema: OBJECT, fallback: 'up__echo' },
  }))
  const { body } = await it.api.execute('say', { message: 'hello', big: 1 })
  expect(body).toMatchObject({ status: 'success', server: 'up', tool_name: 'say', fallback: 'up__echo' })
  const mark = { tool: 'up__echo', server: 'up', insteadOf: 'say', reason: 'upstream_unavailable' }
  expect(body.result).toMatchObject({ _meta: { 'metamcp/fallback': mark } })
  expect(JSON.stringify(body.result.content)).toContain('hello')
  await until('in the history', async () => (await it.last())?.name === 'say')
  // Nothing listens there: three tries, and one of the other tool.
  expect(await it.last()).toMatchObject({ server: 'up', status: 'success', fallback: 'up__echo', attempts: 4 })
  await using client = await legacyRaw(it.gateway.listening.mcp)
  const { result } = await client.call('tools/call', { name: 'say', arguments: { message: 'again' } })
  expect(result?.['_meta']).toMatchObject({ 'metamcp/fallback': { tool: 'up__echo' } })
})

test('R176: so after a time limit, an HTTP 500 and an open breaker, not after what the tool itself says', async () => {
  await using it = await start((url) => ({
    slow: { endpoint: `${url}/slow`, inputSchema: OBJECT, fallback: 'other', timeoutMs: 100 },
    broken: { endpoint: `${url}/broken`, inputSchema: OBJECT, fallback: 'other', breaker: { failures: 1 } },
    picky: { endpoint: `${url}/picky`, inputSchema: OBJECT, fallback: 'other' },
    other: { endpoint: `${url}/other`, inputSchema: OBJECT },
  }))
  it.backend.on('/slow', () => undefined)
  it.backend.on('/broken', (response) => void response.writeHead(500).end())
  it.backend.on('/picky', (response) => void response.writeHead(409).end())
  it.backend.on('/other', '{"other":true}')
  const reasons: unknown[] = []
  for (const name of ['slow', 'broken', 'broken', 'picky']) {
    const { body } = await it.api.execute(name)
    const meta = (body.result as { _meta?: Record<string, { reason: string }> })._meta
    reasons.push(meta?.['metamcp/fallback']?.reason)
  }
  expect(reasons).toEqual(['timeout', 'HTTP 500', 'circuit_breaker_open', undefined])
  expect(it.backend.seen.filter(({ path }) => path === '/other')).toHaveLength(3)
  expect(it.backend.seen.filter(({ path }) => path === '/broken')).toHaveLength(1)
})

test('R176: rules and schema of the other tool hold for it, and when it cannot either, the first failure stands', async () => {
  const guards = [{ tools: ['guarded'], deny: 'not this one' }]
  await using it = await start(
    (url, dead) => ({
      one: { endpoint: `${dead}/one`, inputSchema: OBJECT, fallback: 'guarded' },
      two: { endpoint: `${dead}/two`, inputSchema: OBJECT, fallback: 'strict' },
      three: { endpoint: `${dead}/three`, inputSchema: OBJECT, fallback: 'nothing' },
      guarded: { endpoint: `${url}/guarded`, inputSchema: OBJECT },
      strict: { endpoint: `${url}/strict`, inputSchema: { type: 'object', required: ['n'] } },
    }),
    guards,
  )
  const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((name) => it.api.execute(name)))
  for (const reply of [one, two, three]) {
    expect([reply?.status, reply?.body.error], reply?.text).toEqual([502, 'upstream_unavailable'])
  }
  expect(one?.body.message).toContain('instead of it guarded: ')
  expect(two?.body.message).toContain("'n'")
  expect(three?.body.message).not.toContain('instead')
  expect(it.backend.seen).toEqual([])
})

test('R082: a tool that only reads is tried again until its server answers, and the history counts the tries', async () => {
  await using it = await start((url) => ({
    read: { endpoint: `${url}/read`, inputSchema: OBJECT, annotations: { readOnlyHint: true } },
    write: { endpoint: `${url}/write`, inputSchema: OBJECT },
  }))
  let left = 2
  for (const path of ['/read', '/write']) {
    it.backend.on(path, (response) => {
      left -= 1
      response.writeHead(left >= 0 ? 503 : 200, { 'content-type': 'application/json' }).end('{}')
    })
  }
  expect((await it.api.execute('read')).body).toMatchObject({ status: 'success' })
  await until('in the history', async () => (await it.last())?.name === 'read')
  expect(await it.last()).toMatchObject({ attempts: 3, fallback: null })
  left = 2
  expect((await it.api.execute('write')).body).toMatchObject({ status: 'error', is_error: true })
  expect(it.backend.seen.map(({ path }) => path)).toEqual(['/read', '/read', '/read', '/write'])
})

test('R081, R176: rules of a tool of an MCP server are set over REST and in the file, and taken back with null', async () => {
  await using it = await start((url) => ({ other: { endpoint: `${url}/other`, inputSchema: OBJECT } }))
  const rules = { timeout_ms: 300, breaker: { failures: 2 }, retry: { attempts: 1 }, fallback: 'other' }
  const set = await it.api.send('PUT', 'tools/up__slow', rules)
  expect(set.body).toMatchObject(rules)
  it.backend.on('/other', '{"other":true}')
  const { body } = await it.api.execute('up__slow', { ms: 60_000 })
  expect(body).toMatchObject({ fallback: 'other', result: { structuredContent: { other: true } } })
  const { body: list } = await it.api.send<{ circuit_breakers: object[] }>('GET', 'circuit-breakers')
  expect(list.circuit_breakers).toContainEqual(
    expect.objectContaining({ name: 'up__slow', server: 'up', kind: 'tool', failures: 1, failure_threshold: 2 }),
  )
  const taken = await it.api.send('PUT', 'tools/up__slow', { breaker: null, retry: null, fallback: null })
  expect(taken.body).toMatchObject({ timeout_ms: 300, breaker: null, retry: null, fallback: null })
  expect((await it.api.execute('up__slow', { ms: 60_000 })).status).toBe(504)
})
