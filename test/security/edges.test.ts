import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { httpRequest } from '../support/http-request.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'

const NOBODY = { META_MCP_ANONYMOUS_ROLE: 'none' }
const ADMIN = { META_MCP_ANONYMOUS_ROLE: 'admin' }
/** One of each kind of address: MCP in all its forms, REST, health, descriptions, pages, what there is not. */
const PATHS = [
  '/mcp',
  '/mcp/',
  '/mcp/default',
  '/sse',
  '/messages?sessionId=x',
  '/',
  '/docs',
  '/docs/static/swagger-ui.css',
  '/openapi.json',
  '/metrics',
  '/api/v1/health',
  '/api/v1/health/live',
  '/api/v1/tools',
  '/api/v1/auth/login',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-authorization-server',
  '/oauth/token',
  '/oauth/register',
  '/no/such/address',
]

/** What pages would like to read. */
const READ = [
  '/api/v1/tools',
  '/openapi.json',
  '/mcp',
  '/.well-known/oauth-protected-resource',
  '/oauth/token',
  '/no/such',
]
const METHODS = ['GET', 'POST', 'OPTIONS', 'DELETE']

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
})

const portOf = ({ listening }: TestApp): string => new URL(listening.url).port

describe('the address that a gateway listens on', () => {
  test.skipIf(process.platform !== 'linux')('N1 is loopback and nothing else, unless somebody says so', async () => {
    await using app = await startTestApp()
    const port = Number(portOf(app)).toString(16).toUpperCase().padStart(4, '0')
    const sockets = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].flatMap((path) =>
      readFileSync(path, 'utf8').split('\n'),
    )
    const listening = sockets.map((line) => line.trim().split(/\s+/)).filter(([, , , state]) => state === '0A')
    const ours = listening.map(([, local = '']) => local.split(':')).filter(([, own]) => own === port)
    expect(ours).toEqual([['0100007F', port]])
  })

  /** An IPv4 address written as IPv6 is loopback to the system and none of the spellings that we call so. */
  test('N2 other than loopback is told loudly without TLS, and gives the role of anonymous callers to nobody', async () => {
    await using open = await startTestApp({
      env: { META_MCP_HOST: '::ffff:127.0.0.1', ...NOBODY },
    })
    const warnings = open.log.filter((line) => line.includes('LISTENING WITHOUT TLS'))
    expect(warnings).toHaveLength(1)
    const answer = await httpRequest(`http://127.0.0.1:${portOf(open)}/api/v1/tools`)
    expect(answer.status).toBe(401)
    const bold = startTestApp({ env: { META_MCP_HOST: '::ffff:127.0.0.1', ...ADMIN } })
    await expect(bold).rejects.toThrow(/META_MCP_ANONYMOUS_ROLE: is admin, which everybody/)
  })
})

describe('Host and Origin', () => {
  const FOREIGN: readonly (readonly [what: string, headers: Record<string, string>])[] = [
    ['N3 Host of somebody else', { host: 'evil.example' }],
    ['N3 Host that is an address', { host: '192.168.1.5:8000' }],
    ['N3 Host with a user', { host: 'localhost@evil.example' }],
    ['N3 Host that only begins well', { host: '127.0.0.1.evil.example' }],
    ['N4 Origin of somebody else', { origin: 'https://evil.example' }],
    ['N4 Origin null', { origin: 'null' }],
    ['N4 Origin that only ends well', { origin: 'https://evil-app.example' }],
    ['N5 good Host, Origin of a rebound name', { origin: 'http://evil.example:8000' }],
    ['N5 rebound Host without Origin', { host: 'evil.example:8000' }],
    ['N5 rebound Host, its own Origin', { host: 'evil.example', origin: 'http://evil.example' }],
  ]

  test('N3, N4, N5 foreign ones are 403 at every address and by every method, and nothing happens', async () => {
    await using app = await startTestApp({ env: { ...ADMIN, META_MCP_ALLOWED_ORIGINS: 'https://app.example' } })
    const letIn: string[] = []
    const requests = PATHS.flatMap((path) =>
      FOREIGN.flatMap(([what, headers]) => METHODS.map((method) => ({ path, what, headers, method }))),
    )
    for (const { path, what, headers, method } of requests) {
      const { status, headers: answered } = await httpRequest(`${app.listening.url}${path}`, { method, headers })
      const isRefused = status === 403 && answered['access-control-allow-origin'] === undefined
      if (!isRefused) letIn.push(`${what}: ${method} ${path} ${status}`)
    }
    expect(requests.length).toBeGreaterThan(500)
    expect(letIn).toEqual([])
  })

  test('N3 the names of the gateway itself are let in; away from loopback pages of the own machine are not', async () => {
    const env = { META_MCP_HOST: '::ffff:127.0.0.1', META_MCP_ALLOWED_HOSTS: 'gateway.example', ...NOBODY }
    await using app = await startTestApp({ env })
    const statusOf = async (headers: Record<string, string>) =>
      (await httpRequest(`http://127.0.0.1:${portOf(app)}/api/v1/health`, { headers })).status
    expect(await statusOf({ host: 'gateway.example' })).toBe(200)
    expect(await statusOf({ host: 'gateway.example:443', origin: 'https://gateway.example' })).toBe(200)
    expect(await statusOf({ origin: 'http://localhost:3000' })).toBe(403)
    await using local = await startTestApp()
    const origin = 'http://localhost:3000'
    expect((await httpRequest(`${local.listening.url}/api/v1/health`, { headers: { origin } })).status).toBe(200)
  })
})

describe('CORS', () => {
  test('N6 lets listed origins read, to the letter; all others learn nothing, and cookies are for none', async () => {
    const env = { ...ADMIN, META_MCP_ALLOWED_ORIGINS: 'https://app.example, http://dev.example:3000' }
    await using app = await startTestApp({ env })
    const ask = (path: string, origin: string | undefined, more: object = {}) =>
      httpRequest(`${app.listening.url}${path}`, { headers: origin === undefined ? {} : { origin }, ...more })
    for (const path of READ) {
      for (const origin of ['https://app.example', 'http://dev.example:3000']) {
        const { headers } = await ask(path, origin)
        expect([path, headers['access-control-allow-origin'], headers.vary]).toEqual([path, origin, 'Origin'])
        expect(headers['access-control-allow-credentials']).toBeUndefined()
      }
      const others = ['http://app.example', 'https://app.example:444', 'https://APP.example', 'https://sub.app.example']
      for (const origin of [...others, 'http://localhost:3000', 'null', undefined]) {
        const { headers } = await ask(path, origin)
        expect([path, origin, headers['access-control-allow-origin'], headers.vary]).toEqual([
          path,
          origin,
          undefined,
          'Origin',
        ])
      }
    }
    const called = await ask('/mcp', 'https://app.example', {
      method: 'POST',
      headers: {
        origin: 'https://app.example',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: INITIALIZE,
    })
    expect([called.status, called.headers['access-control-allow-origin']]).toEqual([200, 'https://app.example'])
    expect(called.headers['access-control-expose-headers']).toContain('Mcp-Session-Id')
  })

  test('N6 a question beforehand is answered for listed origins, with headers that we know', async () => {
    await using app = await startTestApp({ env: { META_MCP_ALLOWED_ORIGINS: 'https://app.example' } })
    const ask = (origin: string) =>
      httpRequest(app.listening.mcp, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'Authorization, mcp-session-id, mcp-param-city, x-evil, x-forwarded-for',
        },
      })
    const { status, headers } = await ask('https://app.example')
    expect(status).toBe(204)
    expect(headers['access-control-allow-origin']).toBe('https://app.example')
    expect(headers['access-control-allow-headers']).toBe('authorization, mcp-session-id, mcp-param-city')
    expect((await ask('http://localhost:3000')).headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('headers', () => {
  test('N10 pages run nothing that is not a file of ours, and stand in no frame', async () => {
    await using app = await startTestApp({ env: ADMIN })
    for (const path of ['/docs', '/docs/']) {
      const { status, headers, text } = await httpRequest(`${app.listening.url}${path}`)
      expect([path, status]).toEqual([path, 200])
      const policy = String(headers['content-security-policy'])
      expect(policy).not.toMatch(/unsafe|\*|https?:/)
      expect(policy).toContain("default-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(text).not.toMatch(/<style|<script>|\son\w+=|style="/)
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    }
    const { headers } = await httpRequest(`${app.listening.url}/api/v1/health`)
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
  })

  test('A15 none that claims to come from within opens anything', async () => {
    await using app = await startTestApp({ env: NOBODY })
    const claims = {
      'mcp-init-host': 'localhost',
      'router-key': 'secret',
      'x-original-url': '/api/v1/health',
      'x-rewrite-url': '/api/v1/health',
      'x-http-method-override': 'GET',
      'x-forwarded-user': 'admin',
      'x-remote-user': 'admin',
      'x-user': 'admin',
      'x-internal-request': 'true',
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      forwarded: 'for=127.0.0.1;proto=https;host=localhost',
    }
    for (const path of ['/api/v1/tools', '/api/v1/users', '/metrics', '/mcp']) {
      for (const headers of [claims, ...Object.entries(claims).map(([name, value]) => ({ [name]: value }))]) {
        expect([path, headers, (await httpRequest(`${app.listening.url}${path}`, { headers })).status]).toEqual([
          path,
          headers,
          401,
        ])
      }
    }
  })

  test('D1 bodies, their depth and headers have limits, on MCP and on REST', async () => {
    await using app = await startTestApp({ env: { ...ADMIN, META_MCP_MAX_BODY_BYTES: '2048' } })
    const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const deep = `${'['.repeat(500)}${']'.repeat(500)}`
    for (const path of ['/mcp', '/api/v1/tools/search']) {
      const send = async (body: string, more = {}) =>
        (await httpRequest(`${app.listening.url}${path}`, { method: 'POST', body, headers: { ...json, ...more } }))
          .status
      expect([path, await send(`{"query":"${'x'.repeat(3000)}"}`)]).toEqual([path, 413])
      expect([path, await send(deep)]).toEqual([path, 400])
      expect([path, await send('{}', { 'x-long': 'y'.repeat(20_000) })]).toEqual([path, 431])
    }
  })
})

async function attempt(app: TestApp, forwarded: string): Promise<number> {
  const headers = { 'x-forwarded-for': forwarded }
  return (await app.api.send('POST', 'auth/refresh', { refresh_token: 'x' }, headers)).status
}

describe('a reverse proxy', () => {
  const LIMIT = { META_MCP_RATE_LIMIT_LOGIN: '3' }
  test('N8 that nobody trusts changes nothing: a limit is not evaded by a new address in every request', async () => {
    await using app = await startTestApp({ env: LIMIT })
    const statuses = []
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']) statuses.push(await attempt(app, address))
    expect(statuses).toEqual([401, 401, 401, 429])
  })

  test('N8 that is trusted speaks for its callers, and they cannot speak for others', async () => {
    await using app = await startTestApp({ env: { ...LIMIT, META_MCP_TRUSTED_PROXIES: '127.0.0.0/8, 10.0.0.0/8' } })
    const statuses = []
    // What a caller wrote stands left of what the proxies added.
    for (const tale of ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'])
      statuses.push(await attempt(app, `${tale}, 203.0.113.7, 10.1.2.3`))
    expect(statuses).toEqual([401, 401, 401, 429])
    expect(await attempt(app, '203.0.113.8')).toBe(401)
  })
})
