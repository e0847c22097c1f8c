import { expect, test } from 'vitest'
import type { AuditPage } from '#contract/audit'
import { holdStream, type HeldStream } from '../support/held-streams.ts'
import { ALL_SCOPES, oauthClient, OWNER, REDIRECT, startClosedApp } from '../support/oauth-client.ts'
import type { TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

type Shown = AuditPage['records'][number]

/** Oldest first, what the audit has of the authorization server. */
async function recorded({ api }: TestApp): Promise<{ records: Shown[]; ownerId: string }> {
  const { body: login } = await api.send<{ access_token: string }>('POST', 'auth/login', OWNER)
  const headers = { authorization: `Bearer ${login.access_token}` }
  const me = await api.send<{ user_id: string }>('GET', 'auth/me', undefined, headers)
  const { body } = await api.send<{ records: Shown[] }>('GET', 'audit?limit=200', undefined, headers)
  const records = body.records.filter(({ action }) => action.startsWith('oauth:')).toReversed()
  return { records, ownerId: me.body.user_id }
}

/** R292, R290: who let which program do what is to be told a year later, and no record opens anything. */
test('R292, R290 registration, login, consent and revocation are recorded, with who, which client and which scopes', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const registered = await client.register({ redirect_uris: [REDIRECT], client_name: 'Tester' })
  const clientId = String(registered.body['client_id'])
  let page = await client.browser.open(client.authorizeUrl(clientId, { scope: 'mcp:tools' }))
  page = await client.browser.submit(page, { ...OWNER, password: 'CANARY not mine', do: 'login' })
  page = await client.browser.submit(page, { ...OWNER, do: 'login' })
  const { url: denied } = await client.browser.submit(page, { do: 'deny' })
  expect(denied.searchParams.get('error')).toBe('access_denied')
  const { url: back } = await client.approve(client.authorizeUrl(clientId))
  const code = back.searchParams.get('code') ?? ''
  const tokens = (await client.redeem(clientId, code)).body as { access_token: string; refresh_token: string }
  const revoke = { method: 'POST', body: new URLSearchParams({ client_id: clientId, token: tokens.refresh_token }) }
  expect((await fetch(`${client.url}/oauth/revoke`, revoke)).status).toBe(200)
  // Nothing is ended by what is nothing: that leaves no record.
  expect((await fetch(`${client.url}/oauth/revoke`, revoke)).status).toBe(200)

  const { records, ownerId } = await recorded(app)
  const resource = `clients/${clientId}`
  const mine = { actor: ownerId, username: OWNER.username, resource }
  const asked = { client_name: 'Tester', resource: `${client.url}/mcp`, redirect: REDIRECT }
  const scopes = ALL_SCOPES.split(' ')
  expect(records).toMatchObject([
    { action: 'oauth:register', actor: '', resource, outcome: 'success', facts: { redirect_uris: [REDIRECT] } },
    { action: 'oauth:login', actor: '', resource, outcome: 'denied', code: 'authentication_error' },
    { action: 'oauth:login', ...mine, outcome: 'success', facts: { ip: '127.0.0.1' } },
    { action: 'oauth:consent', ...mine, outcome: 'denied', code: 'access_denied', facts: { scopes: ['mcp:tools'] } },
    { action: 'oauth:consent', ...mine, outcome: 'success', facts: { ...asked, scopes } },
    { action: 'oauth:revoke', actor: ownerId, resource, outcome: 'success', facts: { scopes } },
  ])
  expect(records).toHaveLength(6)
  const text = JSON.stringify(records)
  for (const secret of ['CANARY', code, tokens.access_token, tokens.refresh_token]) expect(text).not.toContain(secret)
})

test('R292 O2 a code that comes a second time ends its grant, and the audit tells so', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = String((await client.register()).body['client_id'])
  const { url } = await client.approve(client.authorizeUrl(clientId))
  const code = url.searchParams.get('code') ?? ''
  expect((await client.redeem(clientId, code)).status).toBe(200)
  expect((await client.redeem(clientId, code)).status).toBe(400)
  const { records, ownerId } = await recorded(app)
  expect(records.at(-1)).toMatchObject({
    action: 'oauth:revoke',
    actor: ownerId,
    resource: `clients/${clientId}`,
    facts: { why: 'a code or refresh token came a second time' },
  })
})

/** A11: what a user gave to a program he can take back, also while it listens. */
test('A11, R063 streams of a client end in a second with the grant that it gives back', async () => {
  await using app = await startClosedApp()
  await using cleanup = new AsyncDisposableStack()
  const client = oauthClient(app)
  const [given, other] = [await client.logIn(), await client.logIn()]
  const place = { mcp: app.listening.mcp, api: app.api }
  const hold = async (token: string): Promise<HeldStream[]> => {
    const held = []
    for (const kind of ['GET /mcp', 'subscriptions/listen'] as const)
      held.push(cleanup.use(await holdStream(kind, place, { authorization: `Bearer ${token}` })))
    return held
  }
  const [held, kept] = [await hold(given.access_token), await hold(other.access_token)]
  const from = performance.now()
  const body = new URLSearchParams({ client_id: given.clientId, token: given.refresh_token })
  expect((await fetch(`${client.url}/oauth/revoke`, { method: 'POST', body })).status).toBe(200)
  await until('they have ended', () => held.every(({ endedAt }) => endedAt !== undefined))
  expect(held.map(({ endedAt = Infinity }) => endedAt - from).filter((ms) => ms > 1000)).toEqual([])
  expect(kept.map(({ endedAt }) => endedAt)).toEqual([undefined, undefined])
})
