import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { oauthClient, OWNER, REDIRECT, startClosedApp, type OauthClient } from '../support/oauth-client.ts'
import type { TestApp } from '../support/test-app.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** What the endpoint says to a token: 400 is past the door, where an empty message is no request. */
async function knock({ listening: { mcp } }: TestApp, token: string, url = mcp): Promise<number> {
  const headers = { 'content-type': 'application/json', ...bearer(token) }
  const response = await fetch(url, { method: 'POST', body: '{}', headers })
  await response.arrayBuffer()
  return response.status
}

async function codeFor(client: OauthClient, clientId: string, params = {}): Promise<string> {
  const { url } = await client.approve(client.authorizeUrl(clientId, params))
  expect(url.searchParams.get('error')).toBeNull()
  expect([url.searchParams.get('state'), url.searchParams.get('iss')]).toEqual(['xyz', client.url])
  return url.searchParams.get('code') ?? ''
}

const idOf = async (client: OauthClient) => String((await client.register()).body['client_id'])

test('O1 a code is asked for with S256 and redeemed with the verifier of it, or not at all', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = await idOf(client)
  for (const params of [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge_method: 'plain' },
    { code_challenge_method: undefined },
    { code_challenge: 'short' },
    { response_type: 'token' },
    { response_type: 'code id_token' },
  ]) {
    const { url } = await client.browser.open(client.authorizeUrl(clientId, params))
    expect([params, url.href.startsWith(REDIRECT), url.href.includes('error=')]).toEqual([params, true, true])
    expect(url.searchParams.get('code')).toBeNull()
  }
  for (const code_verifier of [undefined, '', 'x', randomBytes(32).toString('base64url')]) {
    const { status, body } = await client.redeem(clientId, await codeFor(client, clientId), { code_verifier })
    expect([status, body['access_token']]).toEqual([400, undefined])
    expect(['invalid_grant', 'invalid_request']).toContain(body['error'])
  }
  const { status } = await client.redeem(clientId, await codeFor(client, clientId))
  expect(status).toBe(200)
})

test('O2 a code that comes a second time ends the tokens of the first; of two at once one gets tokens', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = await idOf(client)
  const code = await codeFor(client, clientId)
  const { body } = await client.redeem(clientId, code)
  const [access, refresh] = [String(body['access_token']), String(body['refresh_token'])]
  expect(await knock(app, access)).toBe(400)
  const again = await client.redeem(clientId, code)
  expect([again.status, again.body['error']]).toEqual([400, 'invalid_grant'])
  expect(await knock(app, access)).toBe(401)
  const renewed = await client.token({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refresh })
  expect([renewed.status, renewed.body['error']]).toEqual([400, 'invalid_grant'])
  const raced = await codeFor(client, clientId)
  const both = await Promise.all([client.redeem(clientId, raced), client.redeem(clientId, raced)])
  expect(both.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
  expect(both.some(({ status }) => status === 400)).toBe(true)
})

test('O4 a code of one client is nothing to another, and goes to the redirect that it was asked for', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const [one, other] = [await idOf(client), await idOf(client)]
  const code = await codeFor(client, one)
  expect((await client.redeem(other, code)).body['error']).toBe('invalid_grant')
  expect((await client.redeem(one, code, { redirect_uri: `${REDIRECT}/x` })).body['error']).toBe('invalid_grant')
  expect((await client.redeem(one, code)).status).toBe(200)
})

test('O5 a token is for the resource that was asked for, and that is one of this gateway', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = await idOf(client)
  const foreign = [
    undefined,
    'https://evil.example/mcp',
    `${client.url}/api/v1`,
    `${client.url}/mcp/`,
    `${client.url}/MCP`,
    `${client.url}/mcp?x=1`,
    `${client.url}/mcp#x`,
    `${client.url}.evil.example/mcp`,
    client.url.replace('http:', 'https:') + '/mcp',
    'http://127.0.0.1:1/mcp',
    'urn:metamcp:x',
    '/mcp',
  ]
  for (const resource of foreign) {
    const { url } = await client.approve(client.authorizeUrl(clientId, { resource }))
    expect([resource, url.searchParams.get('error')]).toEqual([resource, 'invalid_target'])
  }
  const code = await codeFor(client, clientId)
  expect((await client.redeem(clientId, code, { resource: 'https://evil.example/mcp' })).body['error']).toBe(
    'invalid_target',
  )
  const tokens = await client.logIn({ resource: `${client.url}/mcp/dev` })
  const [, payload = ''] = tokens.access_token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  expect(claims).toMatchObject({ aud: `${client.url}/mcp/dev`, iss: client.url, client_id: tokens.clientId })
  expect(await knock(app, tokens.access_token)).toBe(401)
  expect(await knock(app, tokens.access_token, `${client.url}/mcp/other`)).toBe(401)
  expect(await knock(app, tokens.access_token, `${client.url}/mcp/dev`)).not.toBe(401)
})

test('A10, A16 a refresh token opens nothing but the next pair, once; the second time ends everything', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const first = await client.logIn()
  const renew = (token: string, more = {}) =>
    client.token({ grant_type: 'refresh_token', client_id: first.clientId, refresh_token: token, ...more })
  expect(await knock(app, first.refresh_token)).toBe(401)
  expect((await renew(first.access_token)).body['error']).toBe('invalid_grant')
  expect((await renew(first.refresh_token, { client_id: await idOf(client) })).body['error']).toBe('invalid_grant')
  expect((await renew(first.refresh_token, { scope: 'mcp:tools admin' })).body['error']).toBe('invalid_scope')
  const second = await renew(first.refresh_token)
  expect(second.status).toBe(200)
  expect(await knock(app, String(second.body['access_token']))).toBe(400)
  expect((await renew(first.refresh_token)).body['error']).toBe('invalid_grant')
  expect((await renew(String(second.body['refresh_token']))).body['error']).toBe('invalid_grant')
  expect(await knock(app, String(second.body['access_token']))).toBe(401)
  expect(await knock(app, first.access_token)).toBe(401)
})

test('A11 deactivation, another password and revocation end what clients have, at once', async () => {
  await using app = await startClosedApp()
  const { body: admin } = await app.api.send<{ access_token: string }>('POST', 'auth/login', OWNER)
  const ann = { username: 'ann', password: 'battery horse correct' }
  const headers = bearer(admin.access_token)
  const made = await app.api.send<{ user_id: string }>('POST', 'users', { ...ann, roles: ['user'] }, headers)
  const change = (changes: object) => app.api.send('PATCH', `users/${made.body.user_id}`, changes, headers)
  const client = oauthClient(app)
  const clientId = await idOf(client)
  const logIn = async (who: typeof ann) => {
    const { url } = await client.approve(client.authorizeUrl(clientId), who)
    const { body } = await client.redeem(clientId, url.searchParams.get('code') ?? '')
    return { access: String(body['access_token']), refresh: String(body['refresh_token']) }
  }
  const isDead = async ({ access, refresh }: { access: string; refresh: string }) => {
    const renewed = await client.token({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refresh })
    return [await knock(app, access), renewed.status]
  }
  const first = await logIn(ann)
  expect(await knock(app, first.access)).toBe(400)
  expect((await change({ password: 'correct battery horse' })).status).toBe(200)
  expect(await isDead(first)).toEqual([401, 400])
  const second = await logIn({ ...ann, password: 'correct battery horse' })
  expect(await knock(app, second.access)).toBe(400)
  expect((await change({ is_active: false })).status).toBe(200)
  expect(await isDead(second)).toEqual([401, 400])
  const refused = await client.approve(client.authorizeUrl(clientId), { ...ann, password: 'correct battery horse' })
  expect([refused.status, refused.text.includes('password is wrong')]).toEqual([401, true])
  expect((await change({ is_active: true })).status).toBe(200)
  const third = await logIn({ ...ann, password: 'correct battery horse' })
  const revoked = await fetch(`${client.url}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: clientId, token: third.refresh }),
  })
  expect(revoked.status).toBe(200)
  expect(await isDead(third)).toEqual([401, 400])
})

test('a code that was asked for with one verifier is not redeemed with the challenge itself', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = await idOf(client)
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const code = await codeFor(client, clientId, { code_challenge: challenge })
  expect((await client.redeem(clientId, code, { code_verifier: challenge })).body['error']).toBe('invalid_grant')
})
