import { afterAll, beforeAll, expect, test } from 'vitest'
import { forge, forgeries, jwkOf, OWN_SECRET, type GoodToken } from '../support/corpus/tokens.ts'
import { httpText, rawExchange } from '../support/raw-socket.ts'
import { bearer, openSecurityStage, type SecurityStage } from '../support/security-stage.ts'

const SECRET = 'q7Tb1Yc6Rd8Pf3Hs5Ja0Ne-4vXw2Lm-of-this-test'
const NEEDED_MS_MAX = 5000

let stage: SecurityStage
let good: GoodToken

beforeAll(async () => {
  stage = await openSecurityStage({ env: { META_MCP_SECRET_KEY: SECRET } })
  const [header = '', claims = ''] = stage.admin.token.split('.')
  good = {
    header: read(header) as GoodToken['header'],
    claims: read(claims) as GoodToken['claims'],
    secret: Buffer.from(SECRET),
    nowSeconds: Math.floor(Date.now() / 1000),
  }
})

afterAll(() => stage[Symbol.asyncDispose]())

function read(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}

/** Over a socket of our own: HTTP libraries refuse to send some of these. */
async function statusAt(path: string, token: string, method = 'GET'): Promise<number | undefined> {
  const body = method === 'POST' ? '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' : undefined
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  const request = httpText(method, path, { ...json, authorization: `Bearer ${token}` }, body)
  const { answers } = await rawExchange(Number(new URL(stage.url).port), request, {
    answers: 1,
    deadlineMs: NEEDED_MS_MAX,
  })
  return answers[0]?.status
}

/** What is too long for a header, or breaks it, is refused before anybody reads it as a token. */
const REFUSALS = [400, 401, 431]

/** A3–A8, A10: more than a hundred tokens by which gateways were entered, at both of our doors. */
test('A3, A4, A5, A6, A7, A8, A9, A10, R061 no forged token opens REST or MCP, and none of them is fetched for', async () => {
  // This gateway's name is issuer and audience at once, and HTTP takes blanks around a header away.
  const all = forgeries(good).filter(([, forgery]) => forge(good, forgery).trim() !== forge(good, {}))
  expect(all.length).toBeGreaterThanOrEqual(120)
  expect(await statusAt('/api/v1/auth/me', forge(good, {}))).toBe(200)
  for (const [what, forgery] of all) {
    const token = forge(good, forgery)
    for (const [path, method] of [
      ['/api/v1/auth/me', 'GET'],
      ['/mcp', 'POST'],
    ] as const) {
      const status = await statusAt(path, token, method)
      expect(REFUSALS, `${what} at ${path}: ${status}`).toContain(status)
    }
  }
  expect(await statusAt('/api/v1/auth/me', stage.admin.token)).toBe(200)
})

test('A5 no address that a header or claim names is asked for keys', async () => {
  stage.backend.on('/keys', JSON.stringify({ keys: [{ ...jwkOf(OWN_SECRET), kid: 'own' }] }))
  const url = `${stage.backend.url}/keys`
  const before = stage.backend.seen.length
  for (const header of [{ jku: url }, { x5u: url }, { kid: url }, { jku: url, kid: 'own' }])
    expect(await statusAt('/api/v1/auth/me', forge(good, { header, key: OWN_SECRET }))).toBe(401)
  for (const claims of [{ iss: url }, { iss: stage.backend.url }])
    expect(await statusAt('/mcp', forge(good, { claims, key: OWN_SECRET }), 'POST')).toBe(401)
  expect(stage.backend.seen.length).toBe(before)
})

test('A10 a refresh token, a session id and half of an API key are no access tokens', async () => {
  const key = await stage.keyOf(stage.admin)
  const text = String(key.headers['authorization']).slice('Bearer '.length)
  for (const token of [
    stage.admin.refreshToken,
    text.slice(0, -1),
    `${text}x`,
    text.toUpperCase(),
    `mmcp_${'A'.repeat(43)}`,
    stage.admin.id,
  ])
    expect([token, await statusAt('/api/v1/auth/me', token)]).toEqual([token, 401])
  expect(await statusAt('/api/v1/auth/me', text)).toBe(200)
  const refresh = await stage.api.send('POST', 'auth/refresh', { refresh_token: stage.admin.token })
  expect(refresh.status).toBe(401)
})

/** A14: only the credential says who is calling. */
test('A14 headers and addresses that name somebody change nothing', async () => {
  const ann = await stage.join('viewer')
  const names = ['User', 'User-Id', 'Remote-User', 'Forwarded-User', 'Auth-Request-User', 'Tenant', 'Tenant-Id', 'Role']
  const claimed = Object.fromEntries(names.map((name) => [`x-${name}`, 'root']))
  const more = { 'x-roles': 'admin', 'x-scopes': '*', 'x-user': stage.admin.id, 'x-metamcp-principal': 'local' }
  const pretended = { ...claimed, ...more, remote_user: 'root', cookie: `user=root; session=${stage.admin.id}` }
  const me = await stage.api.send('GET', `auth/me?user=root&user_id=${stage.admin.id}`, undefined, {
    ...pretended,
    ...ann.headers,
  })
  expect([me.status, me.body]).toMatchObject([200, { user_id: ann.id, roles: ['viewer'] }])
  expect((await stage.api.send('GET', 'auth/me', undefined, pretended)).status).toBe(401)
  expect((await stage.api.send('GET', 'users', undefined, { ...pretended, ...ann.headers })).status).toBe(403)
  for (const path of [`/${stage.admin.id}/mcp`, '/root/mcp', '/u/root/mcp', `/mcp/${stage.admin.id}`, '/mcp/$smart'])
    expect((await stage.api.send('POST', path, {}, pretended)).status).toBeGreaterThanOrEqual(401)
})

test('A1 other schemes, and two credentials, are no credential', async () => {
  for (const authorization of [
    stage.admin.token,
    `bearer: ${stage.admin.token}`,
    `Basic ${Buffer.from('root:correct horse battery').toString('base64')}`,
    `Token ${stage.admin.token}`,
    `Bearer`,
    `Bearer  `,
    `Bearer ${stage.admin.token} x`,
    `Bearer "${stage.admin.token}"`,
    `Digest username="root"`,
  ])
    expect([authorization.slice(0, 12), await me({ authorization })]).toEqual([authorization.slice(0, 12), 401])
  expect(await me({ 'x-api-key': stage.admin.token })).toBe(401)
  const query = `auth/me?access_token=${stage.admin.token}&token=${stage.admin.token}`
  expect((await stage.api.send('GET', query)).status).toBe(401)
  expect(await me(bearer(stage.admin.token))).toBe(200)
})

async function me(headers: Readonly<Record<string, string>>): Promise<number> {
  return (await stage.api.send('GET', 'auth/me', undefined, headers)).status
}
