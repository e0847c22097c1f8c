import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ALL_SCOPES, oauthClient, OWNER, startClosedApp } from '../support/oauth-client.ts'
import { startBackend } from '../support/recording-backend.ts'
import { legacyRaw } from '../support/raw-clients.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
type Json = Record<string, unknown>

const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function json(url: string, init: RequestInit = {}): Promise<{ status: number; body: Json; headers: Headers }> {
  const response = await fetch(url, init)
  return { status: response.status, body: (await response.json().catch(() => ({}))) as Json, headers: response.headers }
}

test('the metadata say the same of the gateway wherever they are read', async () => {
  await using app = await startClosedApp()
  const { url } = app.listening
  for (const [path, resource] of [
    ['/mcp', '/mcp'],
    ['/mcp/dev', '/mcp/dev'],
    ['/mcp/a%20b', '/mcp/a%20b'],
    ['/sse', '/sse'],
    ['', '/mcp'],
  ]) {
    const { status, body } = await json(`${url}/.well-known/oauth-protected-resource${path}`)
    expect([status, body['resource'], body['authorization_servers']]).toEqual([200, url + resource, [url]])
    expect(body['scopes_supported']).toEqual(ALL_SCOPES.split(' '))
  }
  const port = new URL(url).port
  const local = await json(`http://localhost:${port}/.well-known/oauth-protected-resource/mcp`)
  expect(local.body['resource']).toBe(`http://localhost:${port}/mcp`)
  for (const path of ['/api/v1/tools', '/mcp/a/b', '/other', '/mcp/../x'])
    expect([path, (await json(`${url}/.well-known/oauth-protected-resource${path}`)).status]).toEqual([path, 404])
  const known = await json(`${url}/.well-known/oauth-authorization-server`)
  expect((await json(`${url}/.well-known/openid-configuration`)).body).toEqual(known.body)
  expect(known.body).toMatchObject({
    issuer: url,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    response_types_supported: ['code'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    scopes_supported: ALL_SCOPES.split(' '),
  })
  const { keys } = (await json(String(known.body['jwks_uri']))).body as { keys: Json[] }
  expect(keys.map(({ kty, crv, d }) => [kty, crv, d])).toEqual([['OKP', 'Ed25519', undefined]])
  const evil = await fetch(`${url}/oauth/jwks`, { headers: { origin: 'https://evil.example' } })
  expect(evil.status).toBe(403)
})

test('an operator’s public URL is the issuer, and no header of a request makes another', async () => {
  await using app = await startClosedApp({ env: { META_MCP_PUBLIC_URL: 'https://tools.example.com' } })
  const { url } = app.listening
  const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', forwarded: 'host=evil.example' }
  const known = await json(`${url}/.well-known/oauth-authorization-server`, { headers })
  expect(known.body).toMatchObject({
    issuer: 'https://tools.example.com',
    authorization_endpoint: 'https://tools.example.com/oauth/authorize',
    token_endpoint: 'https://tools.example.com/oauth/token',
  })
  expect(JSON.stringify(known.body)).not.toContain('evil')
})

test('O6 the token of a client is not seen by upstreams, nor by anything that is kept or logged', async () => {
  await using backend = await startBackend()
  backend.on('/lamp', '{"on":true}')
  const tools = { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } }
  await using app = await startClosedApp({ file: { tools, servers: { up: { url: `${backend.url}/mcp` } } } })
  const client = oauthClient(app)
  const tokens = await client.logIn()
  await using session = await legacyRaw(app.listening.mcp, { headers: bearer(tokens.access_token) })
  expect(await session.call('tools/call', { name: 'lamp', arguments: {} })).toHaveProperty('result')
  const canaries = [tokens.access_token, tokens.refresh_token, OWNER.password]
  const kept = readdirSync(app.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
  expect(kept.length).toBeGreaterThan(1)
  const seen = JSON.stringify(backend.seen)
  expect(backend.seen.length).toBeGreaterThan(0)
  expect(backend.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true)
  for (const canary of canaries) {
    expect(seen).not.toContain(canary)
    expect(app.log.join('\n')).not.toContain(canary)
    expect(kept.some((text) => text.includes(canary))).toBe(false)
  }
})

test('a token is good for its scopes at MCP, and for nothing at REST', async () => {
  await using backend = await startBackend()
  backend.on('/lamp', '{"on":true}')
  const tools = { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } }
  await using app = await startClosedApp({ file: { tools } })
  const client = oauthClient(app)
  const { access_token: token, scope } = await client.logIn({ scope: 'mcp:prompts openid profile' })
  expect(scope).toBe('mcp:prompts')
  await using session = await legacyRaw(app.listening.mcp, { headers: bearer(token) })
  expect(await session.call('tools/list')).toMatchObject({ result: { tools: [] } })
  const refused = await session.post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'lamp' } })
  expect(refused.status).toBe(403)
  const challenge = String(refused.headers['www-authenticate'])
  expect(challenge).toContain('error="insufficient_scope"')
  expect(challenge).toContain('scope="mcp:tools mcp:prompts"')
  expect(challenge).toContain(`resource_metadata="${client.url}/.well-known/oauth-protected-resource/mcp"`)
  expect(backend.seen).toEqual([])
  for (const path of ['auth/me', 'tools', 'users'])
    expect([path, (await app.api.send('GET', path, undefined, bearer(token))).status]).toEqual([path, 401])
  expect((await app.api.send('POST', 'auth/logout', undefined, bearer(token))).status).toBe(401)
})

test('A3, A4, A5, A7, A8, A9 a token that this gateway did not issue for this endpoint opens nothing', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const { access_token: token } = await client.logIn()
  const [head = '', body = '', signature = ''] = token.split('.')
  const [header, claims] = [head, body].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json)
  const { body: jwks } = await json(`${client.url}/oauth/jwks`)
  const jwk = (jwks as { keys: Json[] }).keys[0] ?? {}
  const pair = generateKeyPairSync('ed25519')
  const signed = (changes: Json, headers: Json = {}, key: KeyObject = pair.privateKey) => {
    const input = `${text({ ...header, ...headers })}.${text({ ...claims, ...changes })}`
    return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
  }
  const hmac = (key: string) => {
    const input = `${text({ ...header, alg: 'HS256' })}.${body}`
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
  }
  const forged = [
    signed({}),
    signed({ aud: 'https://other.example/mcp' }),
    `${head}.${text({ ...claims, aud: [claims?.['aud']] })}.${signature}`,
    `${head}.${text({ ...claims, aud: `${client.url}/mcp/` })}.${signature}`,
    `${head}.${text({ ...claims, scope: ALL_SCOPES, sub: 'other' })}.${signature}`,
    `${head}.${text({ ...claims, exp: 9e9 })}.${signature}`,
    signed({}, { alg: 'none' }),
    `${text({ ...header, alg: 'none' })}.${body}.`,
    hmac(String(jwk['x'])),
    hmac(JSON.stringify(jwk)),
    hmac(''),
    signed({}, { jwk: pair.publicKey.export({ format: 'jwk' }) }),
    signed({}, { jku: 'https://evil.example/jwks' }),
    signed({}, { kid: '../../etc/passwd' }),
    `${head}.${body}.${signature}=`,
    `${head}.${body}.`,
    `${head}..${signature}`,
    `${token}.x`,
    ` ${token.slice(0, -2)}`,
  ]
  const knock = async (credential: string) => {
    const headers = { 'content-type': 'application/json', ...bearer(credential) }
    const answer = await fetch(app.listening.mcp, { method: 'POST', body: '{}', headers })
    return [answer.status, /error="invalid_token"/.test(answer.headers.get('www-authenticate') ?? '')]
  }
  for (const each of forged) expect([each, ...(await knock(each))]).toEqual([each, 401, true])
  expect(await knock(token)).toEqual([400, false])
  // The same database under another key is another deployment.
  await using other = await startClosedApp()
  const elsewhere = await fetch(other.listening.mcp, { method: 'POST', body: '{}', headers: bearer(token) })
  expect(elsewhere.status).toBe(401)
})
