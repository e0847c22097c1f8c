import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiReply } from '../support/api-client.ts'
import { HOSTS, ODD_URLS } from '../support/corpus/hosts.ts'
import { startGatewayChild, type GatewayChild } from '../support/gateway-child.ts'
import { DEAD_URL, startBackend, type RecordingBackend } from '../support/recording-backend.ts'
import { newDirectory } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const PRELOAD = join(import.meta.dirname, '../support/phone-book-preload.ts')
const PUBLIC = '93.184.215.14'
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'api.example.com': [PUBLIC],
  'inside.example.com': ['10.1.2.3'],
  'mixed.example.com': [PUBLIC, '10.1.2.3'],
  'six.example.com': ['fd00::1'],
  'mapped.example.com': ['::ffff:10.0.0.1'],
  'translated.example.com': ['64:ff9b::a9fe:a9fe'],
  'loop.example.com': ['127.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
  'db.corp': ['10.9.9.9'],
  redis: ['172.18.0.5'],
}
/** A gateway that listens on loopback lets its operators register what runs there (decision 0003). */
const LOOPBACK = [
  '127.0.0.1',
  '127.8.9.10',
  '127.0.0.1.',
  '127.8.9.10.',
  '[::1]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'loop.example.com',
]
const SPELLINGS = [
  ...[...new Set(HOSTS)].filter((host) => !LOOPBACK.includes(host)).map((host) => `http://${host}/mcp`),
  ...new Set(ODD_URLS),
]
const AT_ONCE = 25

let stack: AsyncDisposableStack
let gateway: GatewayChild
let backend: RecordingBackend
let bookPath: string

const say = (names: Readonly<Record<string, readonly string[]>>) =>
  writeFile(bookPath, JSON.stringify({ ...NAMES, ...names }))

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const { path: directory } = stack.use(await newDirectory())
  backend = stack.use(await startBackend())
  bookPath = join(directory, 'names.json')
  await say({})
  gateway = stack.use(
    await startGatewayChild({
      directory,
      env: {
        NODE_OPTIONS: `--import=${PRELOAD}`,
        TEST_PHONE_BOOK: bookPath,
        META_MCP_ANONYMOUS_ROLE: 'admin',
        META_MCP_SEARCH_EMBEDDER: 'static',
        META_MCP_EGRESS_ALLOW: '10.77.0.0/16',
        META_MCP_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '1000',
      },
    }),
  )
  const lamp = { name: 'lamp', description: 'x', endpoint: `${backend.url}/lamp` }
  expect((await gateway.api.send('POST', 'tools', lamp)).status).toBe(201)
  const server = { name: 'there', url: `${backend.url}/mcp`, enabled: false }
  expect((await gateway.api.send('POST', 'proxy/servers', server)).status).toBe(201)
})

afterAll(() => stack.disposeAsync())

const draft = { name: 'x', description: 'x' }
const discovery = (source: object) => gateway.api.send('POST', 'proxy/discovery', { source })

/** Every field of the API that takes an address. */
const FIELDS: readonly (readonly [field: string, send: (url: string) => Promise<ApiReply>, every: number])[] = [
  ['POST tools endpoint', (endpoint) => gateway.api.send('POST', 'tools', { ...draft, endpoint }), 1],
  ['PUT tools endpoint', (endpoint) => gateway.api.send('PUT', 'tools/lamp', { endpoint }), 4],
  ['POST servers url', (url) => gateway.api.send('POST', 'proxy/servers', { name: 'x', url }), 1],
  ['PUT servers url', (url) => gateway.api.send('PUT', 'proxy/servers/there', { url }), 4],
  ['PATCH servers url', (url) => gateway.api.send('PATCH', 'proxy/servers/there', { url }), 4],
  [
    'POST servers url, one transport',
    (url) => gateway.api.send('POST', 'proxy/servers', { name: 'x', url, transport: 'sse' }),
    4,
  ],
  ['discovery registry url', (url) => discovery({ kind: 'registry', url }), 4],
]

const refusalOf = async (url: string) => {
  const { status, body } = await gateway.api.send('POST', 'tools', { ...draft, endpoint: url })
  return [status, { ...body, timestamp: '' }]
}

/** S1–S4, S9: however an address is written, over whatever field it comes, it leads to the public Internet or nowhere. */
describe('S1, S2, S3, S4, S8, S9, R257 what is registered over the API', () => {
  test('there are more than 300 spellings', () => {
    expect(SPELLINGS.length).toBeGreaterThan(300)
  })

  test.each(FIELDS)('%s: no spelling of an address inside is taken', async (field, send, every) => {
    const rows = SPELLINGS.filter((_, at) => at % every === 0)
    for (let at = 0; at < rows.length; at += AT_ONCE) {
      await Promise.all(
        rows.slice(at, at + AT_ONCE).map(async (url) => {
          const { status, text } = await send(url)
          expect([403, 422], `${field} ${JSON.stringify(url)}: ${status} ${text}`).toContain(status)
        }),
      )
    }
    const { body } = await gateway.api.send<{ total: number }>('GET', 'tools')
    expect(body.total).toBe(1)
    expect(await gateway.api.send('GET', 'tools/lamp')).toMatchObject({ body: { endpoint: `${backend.url}/lamp` } })
    expect(await gateway.api.send('GET', 'proxy/servers/there')).toMatchObject({ body: { url: `${backend.url}/mcp` } })
  })

  test('and what comes with an address cannot break out of its place', async () => {
    for (const headers of [
      { x: 'a\r\nhost: 10.0.0.1' },
      { 'x\r\ny': 'a' },
      { 'a b': 'c' },
      { '': 'x' },
      { x: 'a\0b' },
    ]) {
      const refused = await gateway.api.send('POST', 'tools', { ...draft, endpoint: `${backend.url}/y`, headers })
      expect([headers, refused.status]).toEqual([headers, 422])
      const server = await gateway.api.send('POST', 'proxy/servers', { name: 'x', url: `${backend.url}/y`, headers })
      expect([headers, server.status]).toEqual([headers, 422])
    }
  })

  test('S10 what is refused tells nothing of what is there: not by its words, whatever would answer', async () => {
    const first = await refusalOf('http://10.0.0.1:80/')
    for (const url of [
      'http://10.0.0.1:22/',
      'http://10.255.255.1:9/',
      'http://169.254.169.254/latest/',
      'http://192.168.1.1/',
      'http://inside.example.com/',
      'http://six.example.com/',
      'http://db.corp/',
      'http://[fd00::1]/',
    ])
      expect([url, await refusalOf(url)]).toEqual([url, first])
  })

  test('S12 what an operator’s setting names is taken, and the API has no way to widen it', async () => {
    const taken = { ...draft, name: 'allowed', endpoint: 'http://10.77.1.1/' }
    expect((await gateway.api.send('POST', 'tools', taken)).status).toBe(201)
    expect((await gateway.api.send('DELETE', 'tools/allowed')).status).toBe(204)
    for (const more of [{ origin: 'file' }, { trusted: true }, { egress_allow: ['10.0.0.0/8'] }])
      expect(
        (await gateway.api.send('POST', 'tools', { ...draft, endpoint: 'http://10.0.0.1/', ...more })).status,
      ).toBe(422)
  })
})

/** S12: who looks into how something inside became reachable finds who did it, and what let him. */
test('S12 what was let in by an operator’s setting is in the audit with that rule, what was refused without', async () => {
  const moved = { endpoint: 'http://10.77.1.2/' }
  await register('exempt', { endpoint: 'http://10.77.1.1/' })
  expect((await gateway.api.send('PUT', 'tools/exempt', moved)).status).toBe(200)
  expect((await gateway.api.send('PUT', 'tools/exempt', { description: 'y' })).status).toBe(200)
  expect((await gateway.api.send('PUT', 'tools/exempt', { endpoint: 'http://10.0.0.1/' })).status).toBe(403)
  await say({ 'public.example.com': [PUBLIC] })
  await register('free', { endpoint: 'http://public.example.com/' })
  const server = { url: 'http://10.77.1.3/mcp', enabled: false }
  expect((await gateway.api.send('POST', 'proxy/servers', { name: 'exempt', ...server })).status).toBe(201)
  expect((await gateway.api.send('PATCH', 'proxy/servers/exempt', { url: `${backend.url}/mcp` })).status).toBe(200)

  const { body } = await gateway.api.send<{ records: Record<string, unknown>[] }>('GET', 'audit?limit=100')
  const shown = body.records
    .filter(({ resource }) => /exempt|free/.test(String(resource)))
    .map(({ action, resource, outcome, rule, actor }) => [action, resource, outcome, rule, actor])
  const setting = 'META_MCP_EGRESS_ALLOW'
  const actor: unknown = expect.any(String)
  expect(shown.toReversed()).toEqual([
    ['tools:create', 'tools/exempt', 'success', setting, actor],
    ['tools:update', 'tools/exempt', 'success', setting, actor],
    ['tools:update', 'tools/exempt', 'success', undefined, actor],
    ['tools:update', 'tools/exempt', 'denied', undefined, actor],
    ['tools:create', 'tools/free', 'success', undefined, actor],
    ['servers:create', 'proxy/servers/exempt', 'success', setting, actor],
    ['servers:update', 'proxy/servers/exempt', 'success', 'loopback', actor],
  ])
})

const register = async (name: string, more: Record<string, unknown>) => {
  const made = await gateway.api.send('POST', 'tools', { ...draft, name, ...more })
  expect([made.status, made.text]).toEqual([201, made.text])
}

/** Registered while the name was public; where it leads is judged again at the connection. */
describe('S5, S6, S7, S11 what is called', () => {
  test('S5, S6 a name that leads inside by now is not connected to, whichever of its addresses it is', async () => {
    const { port } = new URL(backend.url)
    await say({ 'moves.example.com': [PUBLIC] })
    await register('moves', { endpoint: `http://moves.example.com:${port}/secret` })
    for (const addresses of [
      ['10.1.2.3'],
      [PUBLIC, '10.1.2.3'],
      ['fd00::1'],
      ['::ffff:10.0.0.1'],
      ['169.254.169.254'],
    ]) {
      await say({ 'moves.example.com': addresses })
      const { status, body } = await gateway.api.execute('moves')
      expect([addresses, status, body.error]).toEqual([addresses, 502, 'upstream_unavailable'])
      expect(body.message).toMatch(/private network/)
      expect(body.message).not.toMatch(/10\.1|fd00|169\.254/)
    }
    await say({ 'moves.example.com': ['127.0.0.1'] })
    backend.on('/secret', '{"reached":true}')
    expect((await gateway.api.execute('moves')).status).toBe(200)
  })

  test('S6 nor is a server that has moved inside', async () => {
    await say({ 'server.example.com': ['127.0.0.1'] })
    const url = `http://server.example.com:${new URL(backend.url).port}/mcp`
    expect((await gateway.api.send('POST', 'proxy/servers', { name: 'moving', url })).status).toBe(201)
    await until('it was asked', () => backend.seen.some(({ path }) => path === '/mcp'))
    await say({ 'server.example.com': ['10.1.2.3'] })
    const before = backend.seen.length
    await gateway.api.send('POST', 'proxy/servers/moving/restart')
    const { body } = await gateway.api.send('GET', 'proxy/servers/moving')
    expect(body).toMatchObject({ status: 'offline', status_reason: expect.stringMatching(/private network/) })
    expect(backend.seen.length).toBe(before)
    expect((await gateway.api.send('DELETE', 'proxy/servers/moving')).status).toBe(204)
  })

  test.each([301, 302, 303, 307, 308])('S7 a redirect by %i is not followed, to wherever it leads', async (code) => {
    backend.on('/metadata', '{"secret":"canary-of-the-metadata"}')
    for (const [at, location] of [
      `${backend.url}/metadata`,
      '/metadata',
      '//127.0.0.1/metadata',
      'http://169.254.169.254/latest/meta-data/',
      'file:///etc/passwd',
      'gopher://127.0.0.1:6379/_INFO',
    ].entries()) {
      const name = `redirect-${code}-${at}`
      backend.on(`/${name}`, (response) => void response.writeHead(code, { location }).end('moved'))
      await register(name, { endpoint: `${backend.url}/${name}`, method: 'GET' })
      const { status, body, text } = await gateway.api.execute(name)
      expect([location, status, body.is_error]).toEqual([location, 200, true])
      expect(text).not.toContain('canary')
    }
    expect(backend.seen.filter(({ path }) => path === '/metadata')).toEqual([])
  })

  test('S7 nor is that of a server, whatever its transport, or of a registry of servers', async () => {
    const before = backend.seen.filter(({ path }) => path === '/metadata').length
    backend.on('/moved', (response) => void response.writeHead(307, { location: `${backend.url}/metadata` }).end())
    for (const transport of ['streamable-http', 'sse', 'auto']) {
      const name = `moved-${transport}`
      const made = await gateway.api.send('POST', 'proxy/servers', { name, url: `${backend.url}/moved`, transport })
      expect(made.status).toBe(201)
      await until(`${name} was tried`, async () => {
        const { body } = await gateway.api.send('GET', `proxy/servers/${name}`)
        return body['status'] === 'offline' && body['last_error'] !== null
      })
      const { text } = await gateway.api.send('GET', `proxy/servers/${name}/logs`)
      expect(text).not.toContain('canary')
      expect((await gateway.api.send('DELETE', `proxy/servers/${name}`)).status).toBe(204)
    }
    const found = await discovery({ kind: 'registry', url: `${backend.url}/moved` })
    expect(found.text).not.toContain('canary')
    expect(backend.seen.filter(({ path }) => path === '/metadata').length).toBe(before)
  })

  test('S11 arguments stay in their place: host, path and headers are those that were registered', async () => {
    backend.on('/item/', '{}')
    await register('item', {
      endpoint: `${backend.url}/item/{id}/end?fixed=1`,
      method: 'GET',
      mapping: { token: 'header' },
    })
    for (const id of [
      '..',
      '.',
      '../../metadata',
      '%2e%2e',
      '//evil.test/x',
      '@evil.test',
      'a/b',
      'a?b=c',
      'a#b',
      '\\evil',
      'a;b',
      'http://evil.test/',
      '\r\nHost: evil',
      '%00',
      'x&fixed=2',
    ]) {
      const before = backend.seen.length
      const { status } = await gateway.api.execute('item', { id })
      const asked = backend.seen.slice(before)
      if (status !== 200) expect([id, status, asked]).toEqual([id, 422, []])
      for (const { path, query, headers } of asked) {
        expect([id, path]).toEqual([id, `/item/${encodeURIComponent(id)}/end`])
        expect([query, headers.host]).toEqual(['fixed=1', new URL(backend.url).host])
      }
    }
    for (const token of ['a\r\nx-evil: 1', 'a\nb', 'a\0b']) {
      const before = backend.seen.length
      expect([token, (await gateway.api.execute('item', { id: '1', token })).status]).toEqual([token, 422])
      expect(backend.seen.length).toBe(before)
    }
  })

  test('S10 a port of this machine that is closed is told as closed, and no more', async () => {
    await register('closed', { endpoint: `${DEAD_URL}/x` })
    const { status, text } = await gateway.api.execute('closed')
    expect(status).toBe(502)
    expect(text).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|node:|stack/)
  })
})
