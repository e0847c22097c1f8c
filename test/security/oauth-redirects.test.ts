import { expect, test } from 'vitest'
import { oauthClient, startClosedApp } from '../support/oauth-client.ts'

/** Each must go by itself: a list with one bad address is refused as a whole. */
const REFUSED_AT_REGISTRATION = [
  'http://evil.example/cb',
  'http://192.168.1.2/cb',
  'http://0.0.0.0/cb',
  'http://localhost.evil.example/cb',
  'http://127.0.0.1.evil.example/cb',
  'http://127.0.0.2/cb',
  'https://localhost/cb',
  'https://127.0.0.1/cb',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://app.example/x',
  'about:blank',
  'ftp://app.example/cb',
  'ws://app.example/cb',
  'mailto:a@app.example',
  'https://user:secret@app.example/cb',
  'https://app.example@evil.example/cb',
  'https://app.example/cb#fragment',
  'https://app.example/cb#',
  'https://*.app.example/cb',
  'https://app.example/*',
  'https://app.example\\@evil.example/cb',
  'https:///app.example/cb',
  'https:app.example/cb',
  'https://APP.example/cb',
  'https://app.example:443/cb',
  'https://app.example/a/../cb',
  'https://app.example/%2e%2e/cb',
  'https://app.example/ cb',
  ' https://app.example/cb',
  'https://app.example/cb\n',
  'https://app.example/"onload=x',
  'https://0x7f.1/cb',
  'https://аpp.example/cb',
  '//app.example/cb',
  '/cb',
  '',
  `https://app.example/${'x'.repeat(3000)}`,
]

/** Against a client that has `https://app.example/cb` and `http://127.0.0.1/cb`. */
const REFUSED_AT_AUTHORIZATION = [
  'https://app.example/cb/',
  'https://app.example/cb?x=1',
  'https://app.example/cb#x',
  'https://app.example/CB',
  'https://app.example/cb/../evil',
  'https://app.example/cb%00',
  'https://app.example/cb/evil',
  'https://app.example:8443/cb',
  'https://app.example.evil.example/cb',
  'https://evil.example/cb',
  'https://app.example@evil.example/cb',
  'https://app.example\\@evil.example/cb',
  'http://app.example/cb',
  'https://sub.app.example/cb',
  'http://127.0.0.1:8000/other',
  'http://localhost:8000/cb',
  'http://127.0.0.1:8000@evil.example/cb',
  'http://127.0.0.1.evil.example/cb',
  'https://127.0.0.1/cb',
  'javascript:alert(1)//https://app.example/cb',
  'data:text/html,https://app.example/cb',
  '//evil.example/cb',
  '/cb',
  '',
]

const PERMITTED = [
  ['https://app.example/cb', 'https://app.example/cb'],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:51234/cb'],
  ['http://localhost:3334/oauth/callback', 'http://localhost:3334/oauth/callback'],
  ['http://[::1]/cb', 'http://[::1]:51234/cb'],
  ['cursor://anysphere.cursor-mcp/oauth/callback', 'cursor://anysphere.cursor-mcp/oauth/callback'],
] as const

test('O3 addresses that are none to send codes to are not registered, and what is registered is compared to the letter', async () => {
  await using app = await startClosedApp({ env: { META_MCP_RATE_LIMIT_LOGIN: '0' } })
  const client = oauthClient(app)
  // More than one address of this machine may register in ten minutes: the rows go in lists, each with a good one before it.
  const good = 'https://app.example/cb'
  expect(REFUSED_AT_REGISTRATION.length + REFUSED_AT_AUTHORIZATION.length).toBeGreaterThanOrEqual(35)
  const ids = []
  for (const redirects of [[good, 'http://127.0.0.1/cb'], ...PERMITTED.map(([redirect]) => [redirect])]) {
    const { status, body } = await client.register({ redirect_uris: redirects })
    expect([redirects, status]).toEqual([redirects, 201])
    ids.push(String(body['client_id']))
  }
  const [clientId = '', ...others] = ids
  for (const redirect_uri of REFUSED_AT_AUTHORIZATION) {
    const { status, url, text } = await client.browser.open(client.authorizeUrl(clientId, { redirect_uri }))
    expect([redirect_uri, status, url.origin]).toEqual([redirect_uri, 400, client.url])
    expect(text).not.toContain('href=')
  }
  for (const [index, [, redirect_uri]] of PERMITTED.entries()) {
    const { url } = await client.approve(client.authorizeUrl(others[index] ?? '', { redirect_uri }))
    expect(url.href.startsWith(redirect_uri)).toBe(true)
    expect(url.searchParams.get('code')).not.toBeNull()
  }
})

test('O3 what is registered is judged address by address', async () => {
  await using app = await startClosedApp()
  // Its own address of 127.0.0.0/8 for each row would be nicer; the limit is thirty, so the rows are judged by the rule itself.
  const { redirectProblem } = await import('#oauth/redirect-rules')
  for (const redirect of REFUSED_AT_REGISTRATION)
    expect([redirect, redirectProblem(redirect)]).toEqual([redirect, expect.any(String)])
  const client = oauthClient(app)
  for (const redirect of REFUSED_AT_REGISTRATION.slice(0, 25)) {
    const { status, body } = await client.register({ redirect_uris: ['https://app.example/cb', redirect] })
    expect([redirect, status, body['error']]).toEqual([redirect, 400, 'invalid_redirect_uri'])
  }
  for (const body of ['{', '[]', '{}', '{"redirect_uris":[]}', '{"redirect_uris":"https://app.example/cb"}'])
    expect([body, (await client.register(body)).status]).toEqual([body, 400])
})

test('O9 who denies is sent back with an error, and nowhere at all where the redirect is not registered', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = String((await client.register()).body['client_id'])
  const login = await client.browser.open(client.authorizeUrl(clientId))
  const denied = await client.browser.submit(login, { do: 'deny' })
  expect(denied.url.href).toMatch(/^http:\/\/127\.0\.0\.1:39999\/callback\?/)
  expect(Object.fromEntries(denied.url.searchParams)).toMatchObject({
    error: 'access_denied',
    state: 'xyz',
    iss: client.url,
  })
  const evil = await client.browser.open(client.authorizeUrl(clientId, { redirect_uri: 'https://evil.example/cb' }))
  expect([evil.status, evil.url.origin]).toEqual([400, client.url])
  const unknown = await client.browser.open(client.authorizeUrl('nobody', { redirect_uri: 'https://evil.example/cb' }))
  expect([unknown.status, unknown.url.origin]).toEqual([400, client.url])
})
