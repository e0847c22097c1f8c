import { expect, test } from 'vitest'
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
