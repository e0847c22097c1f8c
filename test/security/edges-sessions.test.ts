import { expect, onTestFinished, test, vi } from 'vitest'
import { startTestApp, type TestApp } from '../support/test-app.ts'

const ADMIN = { username: 'root', password: 'correct horse battery' }
const ENV = {
  META_MCP_ANONYMOUS_ROLE: 'none',
  META_MCP_ADMIN_USERNAME: ADMIN.username,
  META_MCP_ADMIN_PASSWORD: ADMIN.password,
}

interface Session {
  readonly header: string
  readonly cookie: string
  readonly csrf: string
}

async function open({ api }: TestApp, headers: Record<string, string> = {}): Promise<Session> {
  const answer = await api.send<{ csrf_token: string }>('POST', 'auth/session', ADMIN, headers)
  expect(answer.status).toBe(200)
  const header = answer.headers.get('set-cookie') ?? ''
  return { header, cookie: header.split(';')[0] ?? '', csrf: answer.body.csrf_token }
}

async function withAdministrator(): Promise<TestApp> {
  const app = await startTestApp({ env: ENV })
  await app.app.firstStart()
  return app
}

test('A18 a session of a browser is in a cookie that no script and no other site can read or plant, new at each login', async () => {
  await using app = await withAdministrator()
  const { api } = app
  const planted = '__Host-metamcp=planted.by.somebody'
  const first = await open(app, { cookie: planted })
  expect(first.cookie).toMatch(/^__Host-metamcp=[\w.-]{100,}$/)
  const attributes = first.header.split('; ').slice(1)
  expect(attributes).toEqual(['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict', 'Max-Age=1800'])
  const second = await open(app, { cookie: `other=1; ${first.cookie}` })
  expect(second.cookie).not.toBe(first.cookie)
  const statusOf = async (cookie: string) => (await api.send('GET', 'auth/me', undefined, { cookie })).status
  expect([await statusOf(planted), await statusOf(first.cookie), await statusOf(second.cookie)]).toEqual([
    401, 401, 200,
  ])
  // A session is for pages: MCP takes none.
  expect((await fetch(app.listening.mcp, { headers: { cookie: second.cookie } })).status).toBe(401)
  const leaked = app.log.join('')
  expect(leaked).not.toContain(second.cookie.split('=')[1])

  const { cookie, csrf } = second
  const ended = await api.send('DELETE', 'auth/session', undefined, { cookie, 'x-csrf-token': csrf })
  expect([ended.status, ended.headers.get('set-cookie')]).toEqual([200, expect.stringContaining('Max-Age=0')])
  expect(await statusOf(cookie)).toBe(401)
})

test('A19 a session changes nothing without its CSRF token, nor for a page of another origin', async () => {
  await using app = await withAdministrator()
  const { cookie, csrf } = await open(app)
  const other = await open(app)
  const role = { name: 'reader', permissions: ['tools:read'], deny: [] }
  const statusOf = async (headers: Record<string, string>) =>
    (await app.api.send('POST', 'roles', role, { cookie, ...headers })).status
  const wrong = [undefined, '', 'x', other.csrf, `${csrf}x`, csrf.toLowerCase()]
  for (const token of wrong) expect(await statusOf(token === undefined ? {} : { 'x-csrf-token': token })).toBe(403)
  expect(await statusOf({ 'x-csrf-token': csrf, origin: 'https://evil.example' })).toBe(403)
  for (const [method, path] of [
    ['PATCH', 'users/x'],
    ['PUT', 'roles/reader'],
    ['DELETE', 'roles/reader'],
    ['POST', 'auth/logout'],
    ['DELETE', 'auth/session'],
  ] as const)
    expect([path, (await app.api.send(method, path, undefined, { cookie })).status]).toEqual([path, 403])
  expect((await app.api.send('GET', 'roles/reader', undefined, { cookie })).status).toBe(404)
  const shown = await app.api.send('GET', 'auth/session', undefined, { cookie })
  expect(shown.body).toEqual({ csrf_token: csrf })
  expect(await statusOf({ 'x-csrf-token': csrf })).toBe(201)
})

/** A page that somebody works with does not throw him out, nor do its other tabs find their token stale. */
test('A18 A19 a session in use goes on under another cookie, and what its tabs know is still good', async () => {
  await using app = await withAdministrator()
  const first = await open(app)
  const role = { name: 'reader', permissions: ['tools:read'], deny: [] }
  const ask = (headers: Record<string, string>) => app.api.send('GET', 'auth/me', undefined, headers)
  expect((await ask({ cookie: first.cookie })).headers.get('set-cookie')).toBeNull()

  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  vi.setSystemTime(Date.now() + 20 * 60_000)
  // Who shows the token as such has a refresh token for that.
  const token = first.cookie.split('=')[1] ?? ''
  const shown = await ask({ authorization: `Bearer ${token}`, cookie: first.cookie })
  expect([shown.status, shown.headers.get('set-cookie')]).toEqual([200, null])
  const used = await ask({ cookie: first.cookie })
  expect(used.headers.get('set-cookie')).toMatch(
    /^__Host-metamcp=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict; Max-Age=1800$/,
  )
  const cookie = used.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect(cookie).not.toBe(first.cookie)

  vi.setSystemTime(Date.now() + 20 * 60_000)
  expect((await ask({ cookie: first.cookie })).status).toBe(401)
  const change = await app.api.send('POST', 'roles', role, { cookie, 'x-csrf-token': first.csrf })
  expect(change.status).toBe(201)
  const newest = change.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect(newest).toMatch(/^__Host-metamcp=./)
  // Another login has another one, and an end is the end of all of its cookies.
  const second = await open(app)
  expect(second.csrf).not.toBe(first.csrf)
  await app.api.send('DELETE', 'auth/session', undefined, { cookie, 'x-csrf-token': first.csrf })
  for (const each of [cookie, newest]) expect((await ask({ cookie: each })).status).toBe(401)
  expect((await ask({ cookie: second.cookie })).status).toBe(200)
})
