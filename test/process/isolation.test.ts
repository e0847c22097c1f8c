import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { sick, startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { legacyRaw, modernRaw, type RawClient } from '../support/raw-clients.ts'
import { startDeadTcp } from '../support/sick/dead-tcp.ts'
import { startHugeHttp } from '../support/sick/huge-http.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** Six sick servers among ten; what a start, a list or a call of the healthy ones costs must not depend on them. */
const HEALTHY = ['well', 'fine', 'legacy', 'modern']
const CALL_MS = 3000
const CALLS_MIN = 40
const CALLS_MAX = 5000
const LISTEN_MS_MAX = 2000
const ENV = { META_MCP_HANDSHAKE_TIMEOUT_SECONDS: '2', META_MCP_LOGGING_LEVEL: 'ERROR' }

interface ServerStatus {
  readonly name: string
  readonly status: string
  readonly status_reason: string
  readonly last_error: string | null
  readonly next_retry_at: string | null
}

const cleanup = new AsyncDisposableStack()
let directory: string
let file: Record<string, unknown>
let gateway: GatewayChild

beforeAll(async () => {
  directory = cleanup.use(await newDirectory()).path
  const dead = cleanup.use(await startDeadTcp())
  const huge = cleanup.use(await startHugeHttp())
  const legacy = cleanup.use(await startFixture({ era: 'legacy' }))
  const modern = cleanup.use(await startFixture({ era: 'modern' }))
  const limit = { timeoutMs: CALL_MS }
  const servers = {
    hangs: sick('hangs', limit),
    dead: { url: dead.url, ...limit },
    garbage: sick('garbage', limit),
    well: sick('healthy', { start: 'eager' }),
    dies: sick('dies-mid-call', limit),
    huge: sick('huge', { ...limit, start: 'eager' }),
    hugehttp: { url: huge.url, ...limit },
    fine: sick('healthy', { start: 'eager' }),
    legacy: { url: legacy.url },
    modern: { url: modern.url },
  }
  file = { servers }
  gateway = await startQuickly(file, ENV)
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await cleanup.disposeAsync()
})

/** The machine may be busy with other tests: what is fast enough once of three times is fast enough. */
async function startQuickly(contents: Record<string, unknown>, env: Record<string, string>): Promise<GatewayChild> {
  for (let attempt = 1; ; attempt += 1) {
    const started = await startGatewayChild({ directory, file: contents, env })
    if (started.listenedAfterMs < LISTEN_MS_MAX || attempt === 3) return started
    await started[Symbol.asyncDispose]()
  }
}

async function status(name: string): Promise<ServerStatus> {
  const { body } = await gateway.api.send<{ servers: ServerStatus[] }>('GET', 'proxy/servers')
  const found = body.servers.find((each) => each.name === name)
  if (!found) throw new Error(`no server ${name}`)
  return found
}

/** Milliseconds that one request takes, and its answer. */
async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; answer: T }> {
  const startedAt = performance.now()
  const answer = await work()
  return { ms: performance.now() - startedAt, answer }
}

async function toolNames(client: RawClient): Promise<string[]> {
  const { result } = await client.call('tools/list')
  const tools = (result?.['tools'] ?? []) as { name: string }[]
  return tools.map(({ name }) => name)
}

const isOwn = (server: string) => (name: string) => name.startsWith(`${server}__`)

/** The median and the worst of calls to the healthy servers, for as long as `busy` is not done. */
async function healthyCalls(client: RawClient, busy: Promise<unknown>): Promise<{ median: number; worst: number }> {
  const times: number[] = []
  const state = { isBusy: true }
  void busy.finally(() => {
    state.isBusy = false
  })
  for (let n = 0; n < CALLS_MIN || (state.isBusy && n < CALLS_MAX); n += 1) {
    const server = HEALTHY[n % HEALTHY.length] ?? ''
    const args = n % HEALTHY.length < 2 ? { said: `mark ${n}` } : { message: `mark ${n}` }
    const { ms, answer } = await timed(() => client.call('tools/call', { name: `${server}__echo`, arguments: args }))
    expect(JSON.stringify(answer)).toContain(`mark ${n}`)
    times.push(ms)
  }
  times.sort((a, b) => a - b)
  return { median: times[times.length >> 1] ?? 0, worst: times.at(-1) ?? 0 }
}

describe('one sick server costs its own tools and nothing else', () => {
  test('the gateway listens in less than 2 s, whatever its servers do (R120)', () => {
    console.log(`listened after ${Math.round(gateway.listenedAfterMs)} ms`)
    expect(gateway.listenedAfterMs).toBeLessThan(LISTEN_MS_MAX)
  })

  test('tools/list answers in 50 ms with the tools of the healthy ones (R001, R120)', async () => {
    await gateway.api.online(...HEALTHY, 'dies', 'huge', 'hugehttp')
    await using legacy = await legacyRaw(gateway.mcp)
    await using modern = modernRaw(gateway.mcp)
    for (const client of [legacy, modern]) {
      await toolNames(client)
      const { ms, answer } = await timed(() => toolNames(client))
      console.log(`tools/list of ${answer.length} tools: ${ms.toFixed(1)} ms`)
      expect(ms).toBeLessThan(50)
      for (const server of HEALTHY) expect(answer.some(isOwn(server)), server).toBe(true)
      for (const server of ['hangs', 'dead', 'garbage']) expect(answer.some(isOwn(server)), server).toBe(false)
    }
  })

  test('the status of each sick one says in plain words why it is offline and when the next try is (R120)', async () => {
    const reasons = [
      ['hangs', /did not answer the handshake within 2 s; next try at/],
      ['dead', /did not answer the handshake within 1 s; next try at/],
      ['garbage', /did not answer the handshake within 2 s; it printed to stdout what is no MCP message/],
    ] as const
    const found = reasons.map(async ([name, reason]) => {
      let seen: ServerStatus | undefined
      await until(`${name} offline, with a next try to come`, async () => {
        seen = await status(name)
        return seen.status === 'offline' && Date.parse(seen.next_retry_at ?? '') > Date.now()
      })
      expect(seen?.status_reason).toMatch(reason)
      expect(seen?.last_error, 'what it was is still there').toMatch(/did not answer/)
    })
    await Promise.all(found)
  })

  test('a sick server is tried again by itself, less and less often (R120)', async () => {
    const tries = new Set<string>()
    await until('three tries of dead', async () => {
      const { next_retry_at } = await status('dead')
      if (next_retry_at !== null) tries.add(next_retry_at)
      return tries.size >= 3
    })
    const [first = 0, second = 0, third = 0] = [...tries].map((at) => Date.parse(at))
    expect(third - second).toBeGreaterThan(second - first - 100)
  })

  test('calls to the healthy ones are unaffected while the sick ones are called (R005, R120)', async () => {
    await using client = await legacyRaw(gateway.mcp)
    await using victim = modernRaw(gateway.mcp)
    const alone = await healthyCalls(client, Promise.resolve())
    const call = (name: string, args = {}) => timed(() => victim.call('tools/call', { name, arguments: args }))
    const [died, huge, hugeHttp] = [
      call('dies__die'),
      call('huge__huge', { megabytes: 100 }),
      call('hugehttp__huge'),
    ] as const
    const beside = await healthyCalls(client, Promise.allSettled([died, huge, hugeHttp]))
    console.log('healthy calls alone', alone, 'beside sick ones', beside)
    expect(beside.median).toBeLessThan(Math.max(10 * alone.median, 25))
    expect(beside.worst).toBeLessThan(1000)

    for (const [server, each, why] of [
      ['dies', died, /process ended \(exit code 3\)/],
      ['huge', huge, /more than 67108864 bytes/],
      ['hugehttp', hugeHttp, /more than 67108864 bytes/],
    ] as const) {
      const { ms, answer } = await each
      expect(answer.error?.message, server).toMatch(new RegExp(`^${server}: `))
      expect(answer.error?.message, server).toMatch(why)
      expect(ms, server).toBeLessThan(CALL_MS)
    }
  })

  test('a server that died in a call says so and comes back by itself (R120)', async () => {
    await gateway.api.execute('dies__die')
    const { status: state, status_reason, next_retry_at } = await status('dies')
    if (state === 'offline') {
      expect(status_reason).toMatch(/process ended \(exit code 3\); next try at/)
      expect(Date.parse(next_retry_at ?? '')).toBeGreaterThan(Date.now() - 1000)
    }
    await gateway.api.online('dies')
  })

  test('an answer that is in the pipe when its server has gone is not lost', async () => {
    await gateway.api.online('dies')
    const { body } = await gateway.api.execute('dies__answer_and_die')
    expect(body.result?.content[0]?.text, JSON.stringify(body).slice(0, 300)).toHaveLength(200_000)
  })

  test('after a restart the last known tools are there at once, and calls to the sick fail by name in time (R120)', async () => {
    await gateway.api.online(...HEALTHY, 'dies', 'huge', 'hugehttp')
    await gateway[Symbol.asyncDispose]()
    const { servers } = file as { servers: Record<string, object> }
    // What was healthy and listed hangs from now on: its tools are known and lead nowhere.
    const dead = servers['dead']
    const worse = { ...servers, huge: sick('hangs', { timeoutMs: 1000 }), hugehttp: { ...dead, timeoutMs: 1000 } }
    gateway = await startQuickly({ servers: worse }, { ...ENV, META_MCP_HANDSHAKE_TIMEOUT_SECONDS: '20' })
    expect(gateway.listenedAfterMs).toBeLessThan(LISTEN_MS_MAX)
    await using client = modernRaw(gateway.mcp)
    const first = await timed(() => toolNames(client))
    const second = await timed(() => toolNames(client))
    console.log(
      `after the restart: listened ${Math.round(gateway.listenedAfterMs)} ms, first list ${first.ms.toFixed(1)} ms, next ${second.ms.toFixed(1)} ms`,
    )
    expect(second.ms).toBeLessThan(50)
    for (const server of [...HEALTHY, 'dies', 'huge', 'hugehttp'])
      expect(first.answer.some(isOwn(server)), server).toBe(true)

    const calls = ['huge__huge', 'hugehttp__huge'].map((name) =>
      timed(() => client.call('tools/call', { name, arguments: {} })),
    )
    const beside = await healthyCalls(client, Promise.all(calls))
    expect(beside.median).toBeLessThan(50)
    for (const [index, server] of ['huge', 'hugehttp'].entries()) {
      const { ms, answer } = (await calls[index]) ?? { ms: 0, answer: {} }
      expect(answer.error?.message).toContain(server)
      expect(answer.error?.message).toMatch(/did not answer/)
      expect(ms).toBeLessThan(2500)
    }
  })
})
