import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { cacheStats } from '#contract/cache'
import type { ExecutionBody } from '#contract/execution'
import { legacyRaw, modernRaw } from '../support/raw-clients.ts'
import { startBackend, type RecordingBackend } from '../support/recording-backend.ts'
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
    return { status: reply.status, text: reply.text, ...(reply.body as unknown as Executed) }
  }
  return { backend, gateway, execute, stats: () => statsOf(gateway), [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

const counting = (backend: RecordingBackend) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"n":${backend.seen.length}}`)

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
    t.backend.on('/broken', (response) => void response.writeHead(500).end('down'))
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
