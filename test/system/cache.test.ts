import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { cacheStats } from '#contract/cache'
import type { ExecutionBody } from '#contract/execution'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { counting, startBackend } from '../support/recording-backend.ts'
import { startFixture } from '../support/fixture/start-fixture.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

type Stats = z.infer<typeof cacheStats>
interface Executed {
  readonly cached: boolean
  readonly stale: boolean
  readonly result: unknown
}

const READ_ONLY = { annotations: { readOnlyHint: true } }
const MARK = 'metamcp/cached'

/** A gateway with HTTP tools whose backend counts: each answer has the number of the request. */
async function start(
  tools: (url: string) => Record<string, object>,
  { env = {}, file = {} }: { env?: Record<string, string>; file?: object } = {},
) {
  await using cleanup = new AsyncDisposableStack()
  const backend = cleanup.use(await startBackend())
  const gateway = cleanup.use(await startTestApp({ env, file: { tools: tools(backend.url), ...file } }))
  const kept = cleanup.move()
  const execute = async (tool: string, args: unknown = {}, headers = {}) => {
    const reply = await gateway.api.execute(tool, args, headers)
    return { http: reply.status, ...(reply.body as unknown as Executed) }
  }
  return { backend, gateway, execute, stats: () => statsOf(gateway), [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

async function statsOf({ api }: TestApp): Promise<Stats> {
  return (await api.send<Stats>('GET', 'cache/stats')).body
}

const lamp = (url: string, cache: object = {}, more: object = READ_ONLY) => ({
  endpoint: `${url}/lamp`,
  cache,
  ...more,
})

describe('results of read-only tools are given again', () => {
  test('R092, R172 the backend sees one call of two, the caller the same result, marked on every surface and in the history', async () => {
    await using t = await start((url) => ({ lamp: lamp(url) }))
    t.backend.on('/lamp', counting(t.backend))
    const first = await t.execute('lamp', { a: 1 })
    const second = await t.execute('lamp', { a: 1 })
    expect([first.cached, second.cached, second.stale, t.backend.seen.length]).toEqual([false, true, false, 1])
    expect(second.result).toEqual(first.result)
    expect(JSON.stringify(second.result)).not.toContain(MARK)
    await using legacy = await legacyRaw(t.gateway.listening.mcp)
    const own = (await legacy.call('tools/call', { name: 'lamp', arguments: { a: 2 } })).result
    const again = (await legacy.call('tools/call', { name: 'lamp', arguments: { a: 2 } })).result
    expect(own).not.toHaveProperty('_meta')
    expect(again).toMatchObject({ content: own?.['content'], _meta: { [MARK]: { stale: false } } })
    await using modern = modernRaw(t.gateway.listening.mcp)
    const fromLegacy = (await modern.call('tools/call', { name: 'lamp', arguments: { a: 2 } })).result
    expect(fromLegacy).toMatchObject({ resultType: 'complete', content: own?.['content'], _meta: { [MARK]: {} } })
    expect(t.backend.seen).toHaveLength(2)
    let rows: readonly ExecutionBody[] = []
    await until('all calls are in the history', async () => {
      rows = (await t.gateway.api.send<{ executions: ExecutionBody[] }>('GET', 'executions')).body.executions
      return rows.length === 5
    })
    expect(rows.map(({ cached }) => cached)).toEqual([true, true, false, true, false])
    expect(rows[0]?.stages.map(({ stage }) => stage).at(-1)).toBe('cache')
  })

  test('and nothing else: no tool without a rule, none that may change something, no failure', async () => {
    await using t = await start((url) => ({
      plain: { endpoint: `${url}/lamp`, ...READ_ONLY },
      writes: lamp(url, {}, {}),
      never: lamp(url, { ttlSeconds: 0 }),
      broken: { endpoint: `${url}/broken`, cache: {}, ...READ_ONLY },
      declared: lamp(url, {}, { readOnly: true }),
      denied: lamp(url, {}, { annotations: { readOnlyHint: true }, readOnly: false }),
    }))
    t.backend.on('/lamp', counting(t.backend))
    t.backend.on('/broken', (response) => void response.writeHead(400).end('no'))
    for (const tool of ['plain', 'writes', 'never', 'broken', 'denied']) {
      const replies = [await t.execute(tool), await t.execute(tool)]
      expect([tool, replies.map(({ cached }) => cached)]).toEqual([tool, [false, false]])
    }
    expect(t.backend.seen).toHaveLength(10)
    await t.execute('declared')
    expect((await t.execute('declared')).cached).toBe(true)
    expect(await t.stats()).toMatchObject({ hits: 1, misses: 3, sets: 1, entries: 1 })
  })

  test('R208, R173 for as long as the setting says, or the tool', async () => {
    await using t = await start((url) => ({ short: lamp(url), long: lamp(url, { ttlSeconds: 600 }) }), {
      env: { META_MCP_CACHE_TTL: '0.2' },
    })
    t.backend.on('/lamp', counting(t.backend))
    await t.execute('long')
    await t.execute('short')
    await until('the short one is asked for anew', async () => !(await t.execute('short')).cached)
    expect((await t.execute('long')).cached).toBe(true)
  })

  test('unless the operator wants none', async () => {
    await using t = await start((url) => ({ lamp: lamp(url) }), { env: { META_MCP_CACHE_ENABLED: 'false' } })
    t.backend.on('/lamp', counting(t.backend))
    await t.execute('lamp')
    expect((await t.execute('lamp')).cached).toBe(false)
    expect(await t.stats()).toMatchObject({ enabled: false, hits: 0, misses: 0, hit_rate: null })
  })
})

describe('what makes two calls the same', () => {
  test('is not the order of members, blanks or escapes; digits that tell numbers apart are', async () => {
    await using t = await start((url) => ({ lamp: lamp(url) }))
    t.backend.on('/lamp', counting(t.backend))
    const calls = async (...texts: string[]) => {
      const before = t.backend.seen.length
      for (const text of texts) await t.execute('lamp', text)
      return t.backend.seen.length - before
    }
    expect(await calls('{"a":1,"b":{"c":[1,2],"d":"ü"}}', '{ "b": {"d":"\\u00fc","c":[1,2]}, "a":1 }')).toBe(1)
    expect(await calls('{"id":9007199254740993}', '{"id":9007199254740992}')).toBe(2)
    expect(await calls('{"x":1}', '{"x":1.0}', '{"x":"1"}', '{"x":[1]}')).toBe(4)
    expect(await calls('{"x":[1,2]}', '{"x":[2,1]}')).toBe(2)
  })

  test('T2 is above all who asks: a result that one was given is never another’s', async () => {
    const admin = { username: 'root', password: 'correct horse battery' }
    const env = {
      META_MCP_ANONYMOUS_ROLE: 'none',
      META_MCP_ADMIN_USERNAME: admin.username,
      META_MCP_ADMIN_PASSWORD: admin.password,
    }
    await using t = await start((url) => ({ lamp: lamp(url) }), { env })
    t.backend.on('/lamp', counting(t.backend))
    const { api } = t.gateway
    const login = async (who: object) => {
      const { body } = await api.send<{ access_token: string }>('POST', 'auth/login', who)
      return { authorization: `Bearer ${body.access_token}` }
    }
    const root = await login(admin)
    const ann = { username: 'ann', password: 'battery horse correct' }
    expect((await api.send('POST', 'users', { ...ann, roles: ['admin'] }, root)).status).toBe(201)
    const results = [await t.execute('lamp', {}, root), await t.execute('lamp', {}, await login(ann))]
    expect(results.map(({ cached }) => cached)).toEqual([false, false])
    expect(results[0]?.result).not.toEqual(results[1]?.result)
    const again = await t.execute('lamp', {}, await login(admin))
    expect([again.cached, again.result]).toEqual([true, results[0]?.result])
    expect((await api.send('GET', 'cache/stats')).status).toBe(401)
  })
})

describe('R281 equal calls at one time', () => {
  test('are one upstream call, and one caller that leaves takes nothing from the others', async () => {
    await using t = await start((url) => ({ lamp: lamp(url) }))
    const open = Promise.withResolvers<void>()
    t.backend.on('/lamp', (response) => void open.promise.then(() => counting(t.backend)(response)))
    const leaving = new AbortController()
    const { url } = t.gateway.listening
    const gone = fetch(`${url}/api/v1/tools/lamp/execute`, {
      method: 'POST',
      body: '{"arguments":{}}',
      headers: { 'content-type': 'application/json' },
      signal: leaving.signal,
    })
    await until('the first is on its way', () => t.backend.seen.length === 1)
    const calls = Array.from({ length: 100 }, () => t.execute('lamp'))
    await until('all wait', async () => (await t.stats()).shared === 100)
    leaving.abort()
    await expect(gone).rejects.toThrow()
    open.resolve()
    const replies = await Promise.all(calls)
    expect(new Set(replies.map(({ result }) => JSON.stringify(result))).size).toBe(1)
    expect([t.backend.seen.length, replies.filter(({ cached }) => cached).length]).toEqual([1, 100])
    expect(await t.stats()).toMatchObject({ misses: 1, shared: 100, hits: 0, sets: 1 })
  })
})

describe('R093 what was kept ends', () => {
  test('by hand, by tag and prefix, with the number that it was', async () => {
    await using t = await start((url) => ({ lamp: lamp(url), clock: lamp(url) }), {
      file: { namespaces: { dev: {} } },
    })
    t.backend.on('/lamp', counting(t.backend))
    const remove = async (query: string) =>
      (await t.gateway.api.send<{ removed: number }>('DELETE', `cache${query}`)).body.removed
    const fill = async () => {
      for (const a of [1, 2]) await t.execute('lamp', { a })
      await t.execute('clock')
      await using client = await legacyRaw(`${t.gateway.listening.mcp}/dev`)
      await client.call('tools/call', { name: 'clock', arguments: {} })
    }
    await fill()
    expect(await remove('?tag=namespace:dev')).toBe(1)
    expect(await remove('?tag=tool:clock')).toBe(1)
    expect(await remove('?prefix=cl')).toBe(0)
    expect(await remove('?prefix=la&tag=server:http')).toBe(2)
    await fill()
    expect(await remove('')).toBe(4)
    expect((await t.execute('lamp', { a: 1 })).cached).toBe(false)
    expect((await t.gateway.api.send('DELETE', 'cache?tags=x')).status).toBe(422)
    const { text } = await t.gateway.api.send('GET', '/metrics')
    expect(text).toMatch(/^metamcp_cache_removed_total 8$/m)
    expect(text).toMatch(/^metamcp_cache_entries 1$/m)
  })

  test('with a change of the tool, which also says over the API what is kept and how', async () => {
    await using t = await start((url) => ({ lamp: { endpoint: `${url}/lamp` } }))
    t.backend.on('/lamp', counting(t.backend))
    const put = (body: object) => t.gateway.api.send('PUT', 'tools/lamp', body)
    const isKept = async () => {
      await t.execute('lamp')
      return (await t.execute('lamp')).cached
    }
    expect(await isKept()).toBe(false)
    expect((await put({ cache: { ttl_seconds: 60 } })).body).toMatchObject({ read_only: false })
    expect(await isKept()).toBe(false)
    const { status, body } = await put({ read_only: true })
    expect([status, body['cache'], body['read_only']]).toEqual([200, { ttl_seconds: 60 }, true])
    expect(await isKept()).toBe(true)
    await put({ description: 'another' })
    expect((await t.execute('lamp')).cached).toBe(false)
    expect((await t.execute('lamp')).cached).toBe(true)
    expect((await put({ cache: null })).body['cache']).toBeNull()
    expect(await isKept()).toBe(false)
    expect((await put({ cache: { ttl_seconds: -1 } })).status).toBe(422)
  })

  test.each(['legacy', 'modern'] as const)(
    'with list_changed of a %s server, of which the server, a namespace or one tool says what is kept',
    async (era) => {
      await using fixture = await startFixture({ era })
      const server = { url: fixture.url, era, tools: { stats: { readOnly: true } }, cache: { ttlSeconds: 600 } }
      const bare = { url: fixture.url, era, prefix: 'bare' }
      await using gateway = await startTestApp({
        file: { servers: { f: server, bare }, namespaces: { kept: { servers: ['bare'], cache: { ttlSeconds: 600 } } } },
      })
      const { api } = gateway
      await api.online('f', 'bare')
      const echo = async (tool = 'f__echo') =>
        ((await api.execute(tool, { message: 'x' })).body as unknown as Executed).cached
      expect([await echo(), await echo(), await echo()]).toEqual([false, true, true])
      expect([await echo('bare__echo'), await echo('bare__echo')]).toEqual([false, false])
      await using client = await legacyRaw(`${gateway.listening.mcp}/kept`)
      const call = async () =>
        (await client.call('tools/call', { name: 'bare__echo', arguments: { message: 'x' } })).result?.['_meta']
      expect((await call()) ?? {}).not.toHaveProperty(MARK)
      expect(await call()).toHaveProperty([MARK])
      expect(fixture.state.calls['echo']).toBe(4)
      await api.execute('f__test_trigger_tool_change')
      await until('nothing of the server is kept', async () => (await statsOf(gateway)).entries === 0)
      expect([await echo(), await echo()]).toEqual([false, true])
      const change = await api.send('PATCH', 'proxy/servers/f', { description: 'another' })
      expect([change.status, await echo()]).toEqual([200, false])
    },
  )
})

describe('R176, R281 a result whose time is over', () => {
  test('is given at once and got anew behind the answer, where the operator allows', async () => {
    const cache = { ttlSeconds: 0.05, staleWhileRevalidateSeconds: 600 }
    await using t = await start((url) => ({ lamp: lamp(url, cache) }))
    t.backend.on('/lamp', counting(t.backend))
    const first = await t.execute('lamp')
    await until('it is stale', async () => (await t.execute('lamp')).stale)
    await until(
      'it is got anew',
      async () => JSON.stringify((await t.execute('lamp')).result) !== JSON.stringify(first.result),
    )
    const { misses, stale_hits: stale } = await t.stats()
    expect([misses, stale > 0]).toEqual([1, true])
  })

  test('is given, marked, when its server cannot answer, and the failure when there is none', async () => {
    const cache = { ttlSeconds: 0.05, staleIfErrorSeconds: 600 }
    await using t = await start((url) => ({ lamp: { ...lamp(url, cache), retry: { attempts: 1 } } }))
    t.backend.on('/lamp', counting(t.backend))
    const first = await t.execute('lamp', { a: 1 })
    for (const down of [500, 'cut'] as const) {
      t.backend.on(
        '/lamp',
        (response) => void (down === 500 ? response.writeHead(500).end('down') : response.destroy()),
      )
      let reply = await t.execute('lamp', { a: 1 })
      await until('its time is over', async () => (reply = await t.execute('lamp', { a: 1 })).stale)
      expect([reply.http, reply.cached, reply.result]).toEqual([200, true, first.result])
      const other = await t.execute('lamp', { a: down })
      expect([other.cached ?? false, other.http]).toEqual([false, down === 500 ? 200 : 502])
    }
  })
})

const slowCall = (progressToken: string) => ({
  name: 'f__slow',
  arguments: { ms: 1500, progressEveryMs: 50 },
  _meta: { progressToken },
})

describe('what is for one caller alone', () => {
  test('a question of the server goes to the one who began, and his answer to nobody else', async () => {
    await using fixture = await startFixture({ era: 'legacy' })
    const tools = { test_elicitation: { readOnly: true } }
    await using gateway = await startTestApp({
      file: { servers: { f: { url: fixture.url, tools, cache: { ttlSeconds: 600 } } } },
    })
    await gateway.api.online('f')
    const asked: string[] = []
    const open = Promise.withResolvers<void>()
    const client = (name: string) =>
      legacyRaw(gateway.listening.mcp, {
        capabilities: { elicitation: {} },
        async answer() {
          asked.push(name)
          await open.promise
          return { action: 'accept', content: { username: name, email: `${name}@example.com` } }
        },
      })
    await using ann = await client('ann')
    await using bob = await client('bob')
    const call = { name: 'f__test_elicitation', arguments: { message: 'Who?' } }
    const texts = Promise.all([ann.call('tools/call', call), bob.call('tools/call', call)])
    await until('somebody is asked', () => asked.length > 0)
    open.resolve()
    const answers = (await texts).map(({ result }) => JSON.stringify(result))
    expect(asked.toSorted()).toEqual(['ann', 'bob'])
    expect([answers[0]?.includes('ann@'), answers[1]?.includes('bob@')]).toEqual([true, true])
    expect(await statsOf(gateway)).toMatchObject({ sets: 0, hits: 0, entries: 0 })
  })

  test('progress of a shared call reaches each with his own token', async () => {
    await using fixture = await startFixture({ era: 'legacy' })
    const tools = { slow: { readOnly: true } }
    await using gateway = await startTestApp({
      file: { servers: { f: { url: fixture.url, tools, cache: { ttlSeconds: 600 } } } },
    })
    await gateway.api.online('f')
    await using ann = await legacyRaw(gateway.listening.mcp)
    await using bob = await legacyRaw(gateway.listening.mcp)
    const first = ann.call('tools/call', slowCall('of ann'))
    await until('it runs', () => fixture.state.calls['slow'] === 1)
    await Promise.all([first, bob.call('tools/call', slowCall('of bob'))])
    const tokens = (heard: typeof ann.heard) => new Set(heard.map(({ params }) => params?.['progressToken']))
    expect([tokens(ann.heard), tokens(bob.heard)]).toEqual([new Set(['of ann']), new Set(['of bob'])])
    expect(fixture.state.calls['slow']).toBe(1)
  })
})

/** D10: arguments that never come again must not take memory for ever. */
test('D10 two thousand different calls stay within the bound', async () => {
  const bytesMax = 1_048_576
  await using t = await start((url) => ({ lamp: lamp(url) }), {
    env: { META_MCP_CACHE_MAX_BYTES: String(bytesMax), META_MCP_RATE_LIMIT_CALLS: '0' },
  })
  t.backend.on('/lamp', JSON.stringify({ text: 'x'.repeat(2000) }))
  for (let batch = 0; batch < 50; batch += 1) {
    await Promise.all(Array.from({ length: 40 }, (_, one) => t.execute('lamp', { random: `${batch} ${one}` })))
    expect((await t.stats()).bytes).toBeLessThanOrEqual(bytesMax)
  }
  const { sets, evictions, entries } = await t.stats()
  expect([sets, sets - evictions]).toEqual([2000, entries])
  expect(entries).toBeGreaterThan(100)
})

/** R094 */
test('R094 the statistics match a script', async () => {
  await using t = await start((url) => ({ lamp: lamp(url), plain: { endpoint: `${url}/lamp` } }))
  t.backend.on('/lamp', '{}')
  for (const a of [1, 1, 2, 1, 3]) await t.execute('lamp', { a })
  await t.execute('plain')
  await t.gateway.api.send('DELETE', 'cache?tag=lamp')
  await t.execute('lamp', { a: 1 })
  const { bytes, ...stats } = await t.stats()
  expect(stats).toEqual({
    enabled: true,
    hits: 2,
    stale_hits: 0,
    shared: 0,
    misses: 4,
    hit_rate: 2 / 6,
    sets: 4,
    evictions: 0,
    removed: 3,
    refresh_failures: 0,
    entries: 1,
    bytes_max: 64 * 1024 * 1024,
    redis: null,
  })
  expect(bytes).toBeGreaterThan(0)
})
