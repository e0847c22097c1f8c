import { expect, test } from 'vitest'
import { legacyRaw } from '../support/raw-clients.ts'
import { startBackend } from '../support/recording-backend.ts'
import { runCommand } from '../support/run-cli.ts'
import { newDirectory, startTestApp, type TestApp } from '../support/test-app.ts'

const ADMIN = { username: 'root', password: 'correct horse battery' }
const ENV = {
  META_MCP_ANONYMOUS_ROLE: 'none',
  META_MCP_ADMIN_USERNAME: 'root',
  META_MCP_ADMIN_PASSWORD: ADMIN.password,
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function login({ api }: TestApp, who: object = ADMIN): Promise<Tokens> {
  const { status, body } = await api.send<Tokens>('POST', 'auth/login', who)
  expect(status).toBe(200)
  return body
}

const statusOf = async ({ api }: TestApp, token: string | undefined, path = 'auth/me') =>
  (await api.send('GET', path, undefined, token === undefined ? {} : bearer(token))).status

test('R030, R031, R033, R140 nothing is reached without a credential; login opens, logout closes, also after a restart', async () => {
  await using directory = await newDirectory()
  const app = await startTestApp({ env: ENV, directory: directory.path })
  for (const path of ['auth/me', 'tools', 'proxy/servers', 'users', 'searches', 'health/detailed'])
    expect([path, await statusOf(app, undefined, path)]).toEqual([path, 401])
  expect(await statusOf(app, undefined, 'health')).toBe(200)
  const wrong = await app.api.send('POST', 'auth/login', { ...ADMIN, password: 'wrong horse battery' })
  const unknown = await app.api.send('POST', 'auth/login', { ...ADMIN, username: 'nobody' })
  const told = ({ status, body }: typeof wrong) => ({ status, ...(body as object), timestamp: '' })
  expect(told(wrong)).toEqual(told(unknown))
  expect(wrong.status).toBe(401)
  const { access_token: token, refresh_token: refresh } = await login(app)
  expect((await app.api.send('GET', 'auth/me', undefined, bearer(token))).body).toMatchObject({
    username: 'root',
    roles: ['admin'],
    permissions: ['*:*'],
  })
  const other = await login(app)
  expect((await app.api.send('POST', 'auth/logout', undefined, bearer(token))).status).toBe(200)
  expect(await statusOf(app, token)).toBe(401)
  expect(await statusOf(app, other.access_token)).toBe(200)
  expect((await app.api.send('POST', 'auth/refresh', { refresh_token: refresh })).status).toBe(401)
  await app[Symbol.asyncDispose]()
  await using again = await startTestApp({ env: ENV, directory: directory.path })
  expect(await statusOf(again, token)).toBe(401)
  expect(await statusOf(again, other.access_token)).toBe(200)
})

test('R032, A16 a refresh token is good once; one that comes again ends its login', async () => {
  await using app = await startTestApp({ env: ENV })
  const first = await login(app)
  const renew = (token: string) => app.api.send<Tokens>('POST', 'auth/refresh', { refresh_token: token })
  const { body: second } = await renew(first.refresh_token)
  expect(await statusOf(app, second.access_token)).toBe(200)
  expect((await renew(first.refresh_token)).status).toBe(401)
  expect(await statusOf(app, second.access_token)).toBe(401)
  expect((await renew(second.refresh_token)).status).toBe(401)
})

test('R033, R060, R063, A11 a user may what its roles allow; a change of roles or activity is in force with the next request', async () => {
  await using app = await startTestApp({ env: ENV })
  const admin = bearer((await login(app)).access_token)
  const ann = { username: 'ann', password: 'battery horse correct' }
  const made = await app.api.send<{ user_id: string }>('POST', 'users', { ...ann, roles: ['viewer'] }, admin)
  expect(made.status).toBe(201)
  expect(JSON.stringify(made.body)).not.toContain('$argon2')
  const path = `users/${made.body.user_id}`
  const token = (await login(app, ann)).access_token
  expect(await statusOf(app, token, 'tools')).toBe(200)
  expect(await statusOf(app, token, 'users')).toBe(403)
  expect((await app.api.send('PATCH', path, { roles: ['admin'] }, bearer(token))).status).toBe(403)
  expect((await app.api.send('PATCH', path, { roles: ['operator'] }, admin)).status).toBe(200)
  expect(await statusOf(app, token, 'executions')).toBe(200)
  expect((await app.api.send('GET', 'auth/me', undefined, bearer(token))).body).toMatchObject({ roles: ['operator'] })
  expect((await app.api.send('PATCH', path, { roles: ['viewer'] }, admin)).status).toBe(200)
  expect(await statusOf(app, token, 'executions')).toBe(403)
  expect((await app.api.send('PATCH', path, { is_active: false }, admin)).status).toBe(200)
  expect(await statusOf(app, token, 'tools')).toBe(401)
  expect((await app.api.send('POST', 'auth/login', ann)).status).toBe(401)
  const { body } = await app.api.send<{ logins: { outcome: string }[] }>('GET', `${path}/logins`, undefined, admin)
  expect(body.logins.map(({ outcome }) => outcome)).toEqual(['inactive', 'success'])
  const me = await app.api.send<{ user_id: string }>('GET', 'auth/me', undefined, admin)
  expect((await app.api.send('DELETE', `users/${me.body.user_id}`, undefined, admin)).status).toBe(409)
})

test('R062, Z11, A27 an API key opens MCP and REST for what it names and no more, until it is revoked', async () => {
  await using backend = await startBackend()
  for (const path of ['/read', '/mail']) backend.on(path, '{}')
  const tool = (path: string) => ({ endpoint: `${backend.url}${path}`, description: 'x' })
  await using app = await startTestApp({
    env: ENV,
    file: { tools: { read_note: tool('/read'), send_mail: tool('/mail') } },
  })
  const admin = bearer((await login(app)).access_token)
  const draft = { name: 'notes', permissions: ['tools:*:*note'] }
  const made = await app.api.send<{ key: string; key_id: string }>('POST', 'api-keys', draft, admin)
  expect(made.body.key).toMatch(/^mmcp_[\w-]{43}$/)
  const listed = await app.api.send('GET', 'api-keys', undefined, admin)
  expect(JSON.stringify(listed.body)).not.toContain(made.body.key)
  const { key } = made.body
  const url = app.listening.mcp
  const refused = await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer /)])
  await using client = await legacyRaw(url, { headers: bearer(key) })
  const { result } = (await client.call('tools/list')) as unknown as { result: { tools: { name: string }[] } }
  expect(result.tools.map(({ name }) => name)).toEqual(['read_note'])
  expect(await client.call('tools/call', { name: 'read_note', arguments: {} })).toHaveProperty('result')
  expect(await client.call('tools/call', { name: 'send_mail', arguments: {} })).toHaveProperty('error')
  expect(await statusOf(app, key, 'users')).toBe(403)
  expect((await app.api.send('DELETE', `api-keys/${made.body.key_id}`, undefined, admin)).status).toBe(204)
  expect(await statusOf(app, key)).toBe(401)
  expect((await client.post({ jsonrpc: '2.0', id: 9, method: 'tools/list' })).status).toBe(401)
  expect(backend.seen.map(({ path }) => path)).toEqual(['/read'])
})

test('R010 commands and stdio show the API key of META_MCP_API_KEY', async () => {
  await using backend = await startBackend()
  const file = { tools: { lamp: { endpoint: `${backend.url}/lamp`, description: 'Switches the light' } } }
  await using app = await startTestApp({ env: ENV, file })
  const admin = bearer((await login(app)).access_token)
  const { body } = await app.api.send<{ key: string }>('POST', 'api-keys', { name: 'cli' }, admin)
  const url = app.listening.url
  const run = (env: Record<string, string>) => runCommand(['tools', '--url', url, '--json'], { env })
  const refused = await run({})
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/credential is missing/)])
  const listed = await run({ META_MCP_API_KEY: body.key })
  expect(listed.code).toBe(0)
  expect(listed.stdout).toContain('lamp')
})
