import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Endpoint } from '#http/endpoint'
import { ENDPOINTS } from '#http/routes'
import { isFor, readPermission, isAction } from '#policy/permission'
import { BUILT_IN_ROLES } from '#policy/roles'
import { httpText, rawExchange } from '../support/raw-socket.ts'
import { bearer, openSecurityStage, type Actor, type SecurityStage } from '../support/security-stage.ts'

const SECRET = 'q7Tb1Yc6Rd8Pf3Hs5Ja0Ne-4vXw2Lm-of-this-test'

let stage: SecurityStage
let port: number

beforeAll(async () => {
  stage = await openSecurityStage({ env: { META_MCP_SECRET_KEY: SECRET } })
  port = Number(new URL(stage.url).port)
})

afterAll(() => stage[Symbol.asyncDispose]())

type Method = Endpoint['method']

/** An address that the route takes; what it names need not be there. */
const addressOf = (path: string): string => path.replaceAll(/:\w+/g, 'nothing-of-this-name')
const bodyFor = (method: Method) => (method === 'GET' || method === 'DELETE' ? undefined : {})
/** Signing out ends the credential that the rest is asked with. */
const asked = ENDPOINTS.filter(({ path }) => !path.endsWith('/logout'))
const nameOf = ({ method, path }: Endpoint): string => `${method} ${path}`

async function statusOf({ method, path }: Endpoint, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return (await stage.api.send(method, addressOf(path), bodyFor(method), { ...headers })).status
}

/** Says whom a route lets in by its declaration alone: 401, 403, or anything else. */
function verdict(status: number): 'unknown' | 'refused' | 'admitted' {
  if (status === 401) return 'unknown'
  return status === 403 ? 'refused' : 'admitted'
}

function mayByRole(role: string, access: Endpoint['access']): boolean {
  const own = BUILT_IN_ROLES.find(({ name }) => name === role)?.allow ?? []
  return !isAction(access) || own.some((permission) => isFor(permission, access))
}

/** R060, R150: the matrix, over sockets, of who is let in where. What is declared is what happens, for each cell. */
describe('R060, R063, R132, R150, R153 every route for', () => {
  test.each(BUILT_IN_ROLES.map(({ name }) => name))('Z1 the role %s: as its declaration says', async (role) => {
    const actor = await stage.join(role)
    for (const endpoint of asked) {
      const wanted = mayByRole(role, endpoint.access) ? 'admitted' : 'refused'
      const status = await statusOf(endpoint, actor.headers)
      // Two public routes look at what they are sent, and find that it proves nothing.
      const isLogin = endpoint.path.startsWith('/api/v1/auth/') && endpoint.access === 'public'
      expect([nameOf(endpoint), isLogin ? 'admitted' : verdict(status)]).toEqual([nameOf(endpoint), wanted])
      expect([nameOf(endpoint), status < 500]).toEqual([nameOf(endpoint), true])
    }
  })

  test.each(['viewer', 'user', 'developer', 'operator', 'auditor'])(
    'R034 auth/permissions tells the role %s what the routes then do',
    async (role) => {
      const actor = await stage.join(role)
      const { body } = await stage.api.send<{ permissions: Record<string, string[]> }>(
        'GET',
        'auth/permissions',
        undefined,
        actor.headers,
      )
      for (const endpoint of asked.filter(({ access }) => isAction(access))) {
        const [resource = '', action = ''] = endpoint.access.split(':')
        const isListed = body.permissions[resource]?.includes(action) ?? false
        const wanted = isListed ? 'admitted' : 'refused'
        expect([nameOf(endpoint), verdict(await statusOf(endpoint, actor.headers))]).toEqual([nameOf(endpoint), wanted])
      }
    },
  )

  test('an API key: what it names of what its owner may', async () => {
    const limits = ['tools:read', 'servers:*', 'users:read', 'health:read']
    const owner = await stage.join('operator')
    const { headers } = await stage.keyOf(owner, { permissions: limits })
    for (const endpoint of asked) {
      const { access } = endpoint
      const isNamed = !isAction(access) || limits.map(readPermission).some((limit) => isFor(limit, access))
      const wanted = isNamed && mayByRole('operator', access) ? 'admitted' : 'refused'
      if (access === 'public') continue
      expect([nameOf(endpoint), verdict(await statusOf(endpoint, headers))]).toEqual([nameOf(endpoint), wanted])
    }
  })

  test.each<[who: string, headers: () => Promise<Record<string, string>> | Record<string, string>]>([
    ['A1 somebody without a credential', () => ({})],
    ['A7 an expired token', () => forged({ iat: nowSeconds() - 1800, exp: nowSeconds() - 1 })],
    ['A9 a token for another audience', () => forged({ aud: 'urn:metamcp:another' })],
    ['A11 a token of a login that has ended', loggedOut],
    ['A27 a revoked API key', revokedKey],
    ['A11 a token of a user who is gone', removedUser],
    ['A11 a token of before the password changed', otherPassword],
  ])('%s: 401 wherever a credential is asked for', async (_who, credential) => {
    const headers = await credential()
    for (const endpoint of ENDPOINTS) {
      if (endpoint.access === 'public') continue
      const reply = await stage.api.send(endpoint.method, addressOf(endpoint.path), bodyFor(endpoint.method), headers)
      expect([nameOf(endpoint), reply.status, reply.headers.get('www-authenticate')]).toEqual([
        nameOf(endpoint),
        401,
        expect.stringMatching(/^Bearer/),
      ])
    }
    for (const [method, path] of [
      ['POST', '/mcp'],
      ['GET', '/mcp'],
      ['DELETE', '/mcp'],
      ['POST', '/mcp/anything'],
      ['GET', '/sse'],
      ['POST', '/messages?sessionId=x'],
    ] as const)
      expect([method, path, (await stage.api.send(method, path, bodyFor(method), headers)).status]).toEqual([
        method,
        path,
        401,
      ])
  })
})

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

/** The administrator's token with other claims, rightly signed. */
function forged(claims: Record<string, unknown>): Record<string, string> {
  const [header = '', payload = ''] = stage.admin.token.split('.')
  const old = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const body = `${header}.${Buffer.from(JSON.stringify({ ...old, ...claims })).toString('base64url')}`
  return { ...bearer(`${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`) }
}

async function loggedOut(): Promise<Record<string, string>> {
  const { headers } = await stage.join('admin')
  expect((await stage.api.send('POST', 'auth/logout', undefined, headers)).status).toBe(200)
  return { ...headers }
}

async function revokedKey(): Promise<Record<string, string>> {
  const key = await stage.keyOf(stage.admin)
  expect((await stage.api.send('GET', 'auth/me', undefined, key.headers)).status).toBe(200)
  expect((await stage.api.send('DELETE', `api-keys/${key.id}`, undefined, stage.admin.headers)).status).toBe(204)
  return { ...key.headers }
}

async function removedUser(): Promise<Record<string, string>> {
  const { headers, id } = await stage.join('admin')
  expect((await stage.api.send('DELETE', `users/${id}`, undefined, stage.admin.headers)).status).toBe(204)
  return { ...headers }
}

async function otherPassword(): Promise<Record<string, string>> {
  const { headers, id }: Actor = await stage.join('admin')
  const change = { password: 'another horse entirely' }
  expect((await stage.api.send('PATCH', `users/${id}`, change, stage.admin.headers)).status).toBe(200)
  return { ...headers }
}

/** A1: who adds a route without a credential adds it here, too. */
test('A1 what is open to everybody is this list and no more', async () => {
  const open = ENDPOINTS.filter(({ access }) => access === 'public').map(nameOf)
  expect(new Set(open)).toEqual(
    new Set([
      'POST /api/v1/auth/login',
      'GET /.well-known/jwks.json',
      'POST /api/v1/auth/session',
      'POST /api/v1/auth/refresh',
      'GET /api/v1/health',
      'GET /api/v1/health/live',
      'GET /api/v1/health/ready',
      'GET /',
      'GET /openapi.json',
    ]),
  )
})

const spellings = (name: string) => [
  `//api/v1/${name}`,
  `/api//v1/${name}`,
  `/api/v1//${name}`,
  `/./api/v1/${name}`,
  `/%2e/api/v1/${name}`,
  `/api/%2e%2e/api/v1/${name}`,
  `/api/v1/health/../${name}`,
  `/api/v1/health/%2e%2e/${name}`,
  `/api/v1/health/..%2f${name}`,
  `/api/v1/health;/../${name}`,
  `/api/v1/health/live/../../${name}`,
  `/api/v1/auth/login/../../${name}`,
  `/API/V1/${name}`,
  `/api/v1/${name.toUpperCase()}`,
  `/api/v1/${name};x=1`,
  `/api/v1/${name};/health`,
  `/api/v1/${name}/`,
  `/api/v1/${name}//`,
  `/api/v1/${name}%2f`,
  `/api/v1/${name}%00`,
  `/api/v1/${name}%20`,
  `/api/v1/${name}.json`,
  `/api/v1/${name}?x=/health/live`,
  `/api/v1/${name}#/health/live`,
  `/api/v1/%75%73%65%72%73`,
  `/api/v1\\${name}`,
  `\\api\\v1\\${name}`,
  `http://127.0.0.1/api/v1/${name}`,
  `http://evil.test/api/v1/${name}`,
  `/..;/api/v1/${name}`,
  `/docs/../api/v1/${name}`,
  `/mcp/../api/v1/${name}`,
  `/openapi.json/../api/v1/${name}`,
]

/** A2: spellings of an address that one part of a program reads as open and another as closed. */
test('A2 no spelling of an address, and no header that names another, opens a route', async () => {
  const tried = ['users', 'roles', 'proxy/servers', 'metrics'].flatMap(spellings)
  for (const path of [
    ...tried,
    '/metrics/',
    '//metrics',
    '/%6detrics',
    '/METRICS',
    '/mcp//',
    '//mcp',
    '/MCP',
    '/mcp;x',
  ]) {
    const { answers } = await rawExchange(port, httpText('GET', path), { answers: 1 })
    expect([400, 401, 403, 404, 405], `${path}: ${answers[0]?.status}`).toContain(answers[0]?.status)
  }
  for (const headers of [
    { 'x-original-url': '/api/v1/users' },
    { 'x-rewrite-url': '/api/v1/users' },
    { 'x-forwarded-path': '/api/v1/users', 'x-forwarded-uri': '/api/v1/users' },
    { 'x-forwarded-prefix': '/api/v1/users' },
  ]) {
    const reply = await stage.api.send('GET', 'health/live', undefined, headers)
    expect(reply.body).toEqual({ status: 'alive' })
  }
  for (const override of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
    const ann = await stage.join('viewer')
    const headers = { ...ann.headers, [override]: 'DELETE' }
    expect((await stage.api.send('GET', 'namespaces', undefined, headers)).status).toBe(200)
    expect((await stage.api.send('GET', 'namespaces?_method=DELETE', undefined, headers)).status).toBe(422)
    expect((await stage.api.send('POST', 'auth/login', { _method: 'GET' }, { [override]: 'GET' })).status).toBe(422)
  }
})

test('A1 methods that a route does not take open nothing', async () => {
  for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'PATCH', 'PROPFIND', 'SEARCH', 'FOO'])
    for (const path of ['/api/v1/users', '/api/v1/tools', '/metrics', '/mcp']) {
      const { answers } = await rawExchange(port, httpText(method, path), { answers: 1, method })
      const status = answers[0]?.status ?? 0
      expect([method, path, [400, 401, 404, 405, 501].includes(status) ? 'refused' : status]).toEqual([
        method,
        path,
        'refused',
      ])
    }
})
