import { expect, test } from 'vitest'
import { startBrowser, type Page } from '../support/browser.ts'
import { oauthClient, OWNER, REDIRECT, startClosedApp } from '../support/oauth-client.ts'

const SCRIPT = `<script>alert(1)</script><img src=x onerror=alert(1)>"'\`\u202eevil`

/** What must be true of each page that a person sees. */
function expectSafe({ headers, text }: Page): void {
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|script-src|\*/)
  expect(headers.get('x-frame-options')).toBe('DENY')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('cache-control')).toContain('no-store')
  expect(text).not.toMatch(/<script|<img|<iframe|<[^>]*\son\w+=|javascript:/i)
}

test('O7, O10, O16, R162 consent names client, scopes and redirect to everybody anew; what a client says of itself is text', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const first = String((await client.register()).body['client_id'])
  const login = await client.browser.open(client.authorizeUrl(first, { scope: 'mcp:tools' }))
  expectSafe(login)
  const consent = await client.browser.submit(login, { ...OWNER, do: 'login' })
  expectSafe(consent)
  for (const told of ['Tester', first, 'mcp:tools', REDIRECT, `${client.url}/mcp`, 'root', 'machine of this browser'])
    expect(consent.text).toContain(told)
  expect(consent.text).not.toContain('mcp:prompts')
  expect((await client.browser.submit(consent, { do: 'allow' })).url.searchParams.get('code')).not.toBeNull()
  // The browser is logged in now: another client, and the same one, are asked about all the same.
  const named = await client.register({
    redirect_uris: ['https://app.example/cb'],
    client_name: SCRIPT,
    logo_uri: 'http://127.0.0.1:1/x',
  })
  const other = String(named.body['client_id'])
  for (const [id, redirect_uri] of [
    [other, 'https://app.example/cb'],
    [first, REDIRECT],
  ] as const) {
    const page = await client.browser.open(client.authorizeUrl(id, { redirect_uri, scope: 'mcp:tools' }))
    expectSafe(page)
    expect([page.url.origin, page.text.includes('value="allow"'), page.text.includes('password')]).toEqual([
      client.url,
      true,
      false,
    ])
    expect(page.text.includes('machine of this browser')).toBe(id === first)
    expect(page.text).not.toContain('\u202e')
  }
  const silent = await client.browser.open(
    client.authorizeUrl(other, { redirect_uri: 'https://app.example/cb', prompt: 'none' }),
  )
  expect(silent.url.searchParams.get('code')).toBeNull()
  expect(silent.url.searchParams.get('error')).toMatch(/required|denied/)
  const wrong = await client.browser.open(client.authorizeUrl(SCRIPT, { redirect_uri: SCRIPT }))
  expectSafe(wrong)
  expect(wrong.status).toBe(400)
})

test('A18, A19, R163 cookies are for HTTP alone, and a form counts only from its own page in its own browser', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = String((await client.register()).body['client_id'])
  const login = await client.browser.open(client.authorizeUrl(clientId))
  const submit = (page: Page, fields: Record<string, string>, headers = {}) =>
    client.browser.submit(page, fields, headers)
  const forged = await submit(login, { ...OWNER, do: 'login', csrf: 'x' })
  expect(forged.status).toBe(403)
  const foreign = await submit(login, { ...OWNER, do: 'login' }, { origin: 'https://evil.example' })
  expect(foreign.status).toBe(403)
  const nowhere = await submit(login, { ...OWNER, do: 'login' }, { origin: 'null' })
  expect(nowhere.status).toBe(403)
  // Another browser with the address and the form, and without the cookie.
  const stranger = await startBrowser(client.url).submit(login, { ...OWNER, do: 'login' })
  expect(stranger.status).toBe(400)
  const early = await submit(login, { do: 'allow' })
  expect(early.text).toContain('name="password"')
  const consent = await submit(login, { ...OWNER, do: 'login' })
  const otherPage = await submit(consent, {
    do: 'allow',
    csrf: /name="csrf" value="([^"]*)"/.exec(login.text)?.[1] ?? '',
  })
  expect(otherPage.status).toBe(403)
  for (const cookie of client.browser.setCookies) {
    expect(cookie).toMatch(/httponly/i)
    expect(cookie).toMatch(/samesite=lax/i)
  }
  const session = () =>
    client.browser.setCookies
      .filter((cookie) => cookie.startsWith('metamcp_login='))
      .map((cookie) => cookie.split(';')[0])
  expect((await submit(consent, { do: 'allow' })).url.searchParams.get('code')).not.toBeNull()
  expect(new Set(session()).size).toBe(session().length)
})

/** A18: no other host, and nobody on the way, can plant what a browser shows us. */
test('A18 over https the cookies are bound to it, and that of the login to this host', async () => {
  const publicUrl = 'https://tools.example.com'
  await using app = await startClosedApp({ env: { META_MCP_PUBLIC_URL: publicUrl } })
  const client = oauthClient(app, publicUrl)
  const clientId = String((await client.register()).body['client_id'])
  const page = await client.approve(client.authorizeUrl(clientId, { resource: `${publicUrl}/mcp` }))
  expect(page.url.searchParams.get('code')).not.toBeNull()
  const { setCookies } = client.browser
  const names = new Set(setCookies.map((cookie) => /^(?:__\w+-)?\w+/.exec(cookie)?.[0]))
  expect(names).toEqual(new Set(['__Host-metamcp_login', '__Secure-metamcp_interaction', '__Secure-metamcp_resume']))
  for (const cookie of setCookies) {
    expect(cookie).toMatch(/; secure/i)
    expect(cookie).toMatch(/; httponly/i)
    expect(cookie).toMatch(/; samesite=lax/i)
    expect(cookie).not.toMatch(/; domain=/i)
    expect(/; path=([^;]+)/i.exec(cookie)?.[1] === '/').toBe(cookie.startsWith('__Host-'))
  }
})

test('A13 the login page is as slow to guess as the API, and says as little', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = String((await client.register()).body['client_id'])
  let page = await client.browser.open(client.authorizeUrl(clientId))
  const guess = async (username: string) => {
    page = await client.browser.submit(page, { username, password: 'wrong horse battery', do: 'login' })
    return { status: page.status, text: page.text.replaceAll(username, '') }
  }
  const [unknown, known] = [await guess('nobody'), await guess(OWNER.username)]
  expect(unknown).toEqual(known)
  expect(unknown.status).toBe(401)
  for (let tries = 0; tries < 4; tries += 1) await guess(OWNER.username)
  const locked = await client.browser.submit(page, { ...OWNER, do: 'login' })
  expect([locked.status, Number(locked.headers.get('retry-after')) > 0]).toEqual([429, true])
})

test('another account can be used, and the one before is logged out of the browser', async () => {
  await using app = await startClosedApp()
  const client = oauthClient(app)
  const clientId = String((await client.register()).body['client_id'])
  const consent = await client.browser.submit(await client.browser.open(client.authorizeUrl(clientId)), {
    ...OWNER,
    do: 'login',
  })
  const again = await client.browser.submit(consent, { do: 'switch' })
  expect(again.text).toContain('name="password"')
  const { url } = await client.approve(client.authorizeUrl(clientId))
  expect(url.searchParams.get('code')).not.toBeNull()
})
