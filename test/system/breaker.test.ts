import { expect, test } from 'vitest'
import { sick } from '../support/gateway-child.ts'
import { modernRaw } from '../support/raw-clients.ts'
import { startBackend, type BackendAnswer } from '../support/recording-backend.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const OBJECT = { type: 'object' }
const BREAKERS = 'circuit-breakers'
const ENV = { META_MCP_CIRCUIT_BREAKER_RECOVERY_SECONDS: '0.5', META_MCP_TOOL_TIMEOUT_SECONDS: '10' }
/** Long enough that it is not over before the test has looked. */
const LONG = { META_MCP_CIRCUIT_BREAKER_RECOVERY_SECONDS: '600' }

interface BreakerBody {
  readonly name: string
  readonly kind: string
  readonly state: string
  readonly failures: number
  readonly calls: number
  readonly refused: number
  readonly failure_threshold: number
}

interface Stage extends AsyncDisposable {
  readonly backend: Awaited<ReturnType<typeof startBackend>>
  readonly gateway: TestApp
  readonly api: TestApp['api']
}

/** Tools `a` and `b` at a recording backend; `more` goes to `a`. */
async function start(env: Record<string, string>, more: object = {}): Promise<Stage> {
  await using cleanup = new AsyncDisposableStack()
  const backend = cleanup.use(await startBackend())
  const tool = (name: string) => ({ endpoint: `${backend.url}/${name}`, inputSchema: OBJECT, category: 'letters' })
  const file = { tools: { a: { ...tool('a'), ...more }, b: tool('b') } }
  const gateway = cleanup.use(await startTestApp({ file, env }))
  const kept = cleanup.move()
  backend.on('/a', fails)
  backend.on('/b', '{}')
  return { backend, gateway, api: gateway.api, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

const fails: BackendAnswer = (response) => void response.writeHead(500).end('broken')
const asks: BackendAnswer = (response) => void response.writeHead(404).end('no such letter')

async function breakerOf({ api }: Stage, name: string): Promise<BreakerBody> {
  const { body } = await api.send<{ circuit_breakers: BreakerBody[] }>('GET', BREAKERS)
  const found = body.circuit_breakers.find((each) => each.name === name)
  if (!found) throw new Error(`no breaker ${name} in ${JSON.stringify(body)}`)
  return found
}

async function failTimes(stage: Stage, times: number, tool = 'a'): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const { status, body } = await stage.api.execute(tool)
    expect([status, body.is_error], JSON.stringify(body)).toEqual([200, true])
  }
}

test('R080, R174: after five failures the next call is a 503 at once, and the backend sees nothing of it', async () => {
  await using stage = await start(LONG)
  await failTimes(stage, 5)
  const refused = await stage.api.execute('a')
  expect([refused.status, refused.body.error]).toEqual([503, 'circuit_breaker_open'])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(590)
  expect(refused.body).toMatchObject({ details: { breaker: 'a', server: 'http', alternatives: ['b'] } })
  await using client = modernRaw(stage.gateway.listening.mcp)
  const { error } = await client.call('tools/call', { name: 'a', arguments: {} })
  expect(error).toMatchObject({ code: -31508, data: { alternatives: ['b'] } })
  expect(error?.message).toContain('Tools of the same kind that are up: b')
  expect(stage.backend.seen).toHaveLength(5)
  expect((await stage.api.execute('b')).status).toBe(200)
})

test('R082, R175: a rested breaker lets exactly two probes through, closes when both succeed, opens when one fails', async () => {
  await using stage = await start(ENV)
  await failTimes(stage, 5)
  const rested = () => until('half-open', async () => (await breakerOf(stage, 'a')).state === 'half-open')
  await rested()
  await failTimes(stage, 1)
  expect((await stage.api.execute('a')).status).toBe(503)
  await rested()
  const held: (() => void)[] = []
  stage.backend.on('/a', (response) => void held.push(() => response.writeHead(200).end('{}')))
  const before = stage.backend.seen.length
  const calls = Array.from({ length: 10 }, () => stage.api.execute('a'))
  await until('two probes at the backend', () => held.length === 2)
  await until('eight refused', async () => (await breakerOf(stage, 'a')).refused >= 1 + 8)
  expect(stage.backend.seen.length - before).toBe(2)
  for (const answer of held) answer()
  const statuses = (await Promise.all(calls)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(2)
  expect(statuses.filter((status) => status === 503)).toHaveLength(8)
  expect(await breakerOf(stage, 'a')).toMatchObject({ state: 'closed', failures: 0 })
  const told = stage.gateway.log.filter((line) => line.includes('breaker changed state'))
  expect(told.map((line) => (JSON.parse(line) as { to: string }).to)).toEqual([
    'open',
    'half-open',
    'open',
    'half-open',
    'closed',
  ])
})

test('R081: 4xx and what a tool reports do not count, timeouts and 5xx do, by the threshold of setting or tool', async () => {
  await using stage = await start(
    { ...LONG, META_MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '3', META_MCP_TOOL_TIMEOUT_SECONDS: '0.2' },
    { breaker: { failures: 2 } },
  )
  stage.backend.on('/a', asks)
  await failTimes(stage, 9)
  expect(await breakerOf(stage, 'a')).toMatchObject({ state: 'closed', failures: 0, failure_threshold: 2 })
  expect(await breakerOf(stage, 'b')).toMatchObject({ failure_threshold: 3 })
  stage.backend.on('/a', () => undefined)
  expect((await stage.api.execute('a')).status).toBe(504)
  stage.backend.on('/a', fails)
  await failTimes(stage, 1)
  expect((await stage.api.execute('a')).status).toBe(503)
  stage.backend.on('/b', fails)
  await failTimes(stage, 3, 'b')
  expect((await stage.api.execute('b')).status).toBe(503)
})

test('R083, R177: operators see at once which breaker is open, by list, metrics and health, and can close it', async () => {
  await using stage = await start(LONG)
  await failTimes(stage, 5)
  await stage.api.execute('a')
  expect(await breakerOf(stage, 'a')).toMatchObject({ kind: 'tool', state: 'open', failures: 5, refused: 1 })
  expect(await breakerOf(stage, 'b')).toMatchObject({ state: 'closed', failures: 0 })
  const { text } = await stage.api.send('GET', '/metrics')
  expect(text).toContain('metamcp_breaker_state{breaker="a",kind="tool"} 2')
  expect(text).toContain('metamcp_breaker_state{breaker="b",kind="tool"} 0')
  expect(text).toContain('metamcp_breaker_refused_total{breaker="a",kind="tool"} 1')
  const health = await stage.api.send('GET', 'health/detailed')
  expect(health.body).toMatchObject({ overall_healthy: false })
  expect(health.text).toContain('a is open')
  stage.backend.on('/a', '{"ok":true}')
  const reset = await stage.api.send('POST', `${BREAKERS}/a/reset`)
  expect([reset.status, reset.body['state']]).toEqual([200, 'closed'])
  expect((await stage.api.execute('a')).status).toBe(200)
  expect((await stage.api.send('POST', `${BREAKERS}/nothing/reset`)).status).toBe(404)
})

test('R081: a process that dies under many calls and comes back opens nothing; tools of a server share its breaker; a change of the server closes it', async () => {
  await using gateway = await startTestApp({
    file: { servers: { dies: { ...sick('dies-mid-call'), start: 'eager', breaker: { failures: 2 } } } },
    env: LONG,
  })
  const { api } = gateway
  await api.online('dies')
  const stateOf = async () => {
    const { body } = await api.send<{ circuit_breakers: BreakerBody[] }>('GET', BREAKERS)
    return body.circuit_breakers.find(({ name }) => name === 'dies')
  }
  const hanging = Array.from({ length: 20 }, () => api.execute('dies__hang'))
  await until('all hang', async () => (await stateOf())?.calls === 20)
  await api.execute('dies__die')
  const statuses = await Promise.all(hanging.map(async (each) => (await each).status))
  expect(new Set(statuses)).toEqual(new Set([502]))
  expect(await stateOf()).toMatchObject({ kind: 'server', state: 'closed', failures: 1 })
  // Who comes while it starts waits for it.
  const after = await Promise.all(Array.from({ length: 20 }, () => api.execute('dies__work')))
  expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]))
  expect(await stateOf()).toMatchObject({ state: 'closed', failures: 0 })
  for (let n = 0; n < 2; n += 1) {
    await api.online('dies')
    await api.execute('dies__die')
  }
  expect(await stateOf()).toMatchObject({ state: 'open' })
  expect((await api.execute('dies__answer_and_die')).body).toMatchObject({ error: 'circuit_breaker_open' })
  await api.send('PATCH', 'proxy/servers/dies', { description: 'repaired' })
  expect(await stateOf()).toMatchObject({ state: 'closed', failures: 0 })
})
