import { expect, test } from 'vitest'
import type { AuditPage } from '#contract/audit'
import { legacyRaw } from '../support/raw-clients.ts'
import { startBackend } from '../support/recording-backend.ts'
import { startTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const ADMIN = { username: 'root', password: 'correct horse battery' }
const ENV = {
  META_MCP_ANONYMOUS_ROLE: 'none',
  META_MCP_ADMIN_USERNAME: 'root',
  META_MCP_ADMIN_PASSWORD: ADMIN.password,
}

type Shown = AuditPage['records'][number]

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function tokenOf({ api }: TestApp, who: object = ADMIN): Promise<string> {
  const { status, body } = await api.send<{ access_token: string }>('POST', 'auth/login', who)
  expect(status).toBe(200)
  return body.access_token
}

async function records({ api }: TestApp, token: string, query = ''): Promise<Shown[]> {
  const { status, body } = await api.send<{ records: Shown[] }>('GET', `audit?${query}`, undefined, bearer(token))
  expect(status).toBe(200)
  return body.records.toReversed()
}

const shortly = ({ action, resource, outcome, code, surface }: Shown) =>
  [surface, action, resource, outcome, ...(code === undefined ? [] : [code])].join(' ')

/** R292, E5: whoever asks later what happened finds each deed once, with who did it, and nobody's secret. */
test('R292 each change, login, refusal and call leaves one record, and no other request does', async () => {
  await using backend = await startBackend()
  backend.on('/t', '{"ok":true}')
  await using app = await startTestApp({ env: ENV })
  const { api } = app
  await api.send('GET', 'tools')
  await api.send('POST', 'auth/login', { ...ADMIN, password: 'CANARY wrong password' })
  const token = await tokenOf(app)
  const send = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) =>
    api.send(method, path, body, bearer(token))
  const headers = { 'X-Api-Key': 'CANARY-2' }
  await send('POST', 'tools', { name: 'plain', description: 'd', endpoint: `${backend.url}/t?key=CANARY-3`, headers })
  await send('POST', 'tools', { name: 'plain', description: 'd', endpoint: `${backend.url}/t` })
  await send('GET', 'tools')
  await send('POST', 'tools/search', { query: 'plain' })
  await send('POST', 'users', { username: 'ann', password: 'CANARY pass word 4', roles: ['viewer'] })
  await api.execute('plain', {}, bearer(token))
  await api.execute('nobody', {}, bearer(token))
  const ann = await tokenOf(app, { username: 'ann', password: 'CANARY pass word 4' })
  await api.execute('plain', {}, bearer(ann))
  await api.send('DELETE', 'tools/plain', undefined, bearer(ann))
  const all = await records(app, token)
  expect(all.map(shortly)).toEqual([
    'gateway users:create users/root success',
    'rest tools:read tools denied authentication_error',
    'rest auth:login auth/login denied authentication_error',
    'rest auth:login auth/login success',
    'rest tools:create tools/plain success',
    'rest tools:create tools/plain error conflict',
    'rest users:create users/ann success',
    'rest tools:execute plain success',
    'rest tools:execute nobody error tool_not_found',
    'rest auth:login auth/login success',
    'rest tools:execute tools/plain/execute denied permission_denied',
    'rest tools:delete tools/plain denied permission_denied',
  ])
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1))
  expect(all.slice(1).every(({ request_id: id }) => id)).toBe(true)
  expect(all.map(({ username }) => username)).toEqual([
    undefined,
    undefined,
    undefined,
    ...Array<string>(6).fill('root'),
    'ann',
    'ann',
    'ann',
  ])
  expect(all[7]).toMatchObject({ rule: 'role admin allows *:*' })
  expect(JSON.stringify(all)).not.toContain('CANARY')
  expect((await send('POST', 'audit/verify', {})).body).toMatchObject({ ok: true, records: all.length })
})

test('R292 a call over MCP that the policy denies is in the audit as denied, though its caller cannot tell', async () => {
  await using backend = await startBackend()
  backend.on('/t', '{"ok":true}')
  await using app = await startTestApp({ env: ENV })
  const token = await tokenOf(app)
  const send = (path: string, body: unknown) => app.api.send('POST', path, body, bearer(token))
  await send('tools', { name: 'plain', description: 'd', endpoint: `${backend.url}/t` })
  await send('roles', { name: 'careful', permissions: ['tools:*'], deny: ['tools:execute:plain'] })
  await send('users', { username: 'bob', password: 'correct horse battery', roles: ['careful'] })
  const bob = await tokenOf(app, { username: 'bob', password: 'correct horse battery' })
  await using client = await legacyRaw(app.listening.mcp, { headers: bearer(bob) })
  const denied = await client.call('tools/call', { name: 'plain', arguments: {} })
  const absent = await client.call('tools/call', { name: 'absent', arguments: {} })
  expect([denied, absent]).toMatchObject([{ error: { code: -32602 } }, { error: { code: -32602 } }])
  expect(backend.seen).toHaveLength(0)
  const own = (await records(app, token, 'action=tools:execute')).map(({ outcome, rule }) => [outcome, rule])
  expect(own).toEqual([
    ['denied', 'role careful denies tools:execute:plain'],
    ['error', 'role careful allows tools:*'],
  ])
})

test('R292 who is not let in over MCP, from elsewhere or with a wrong credential, is in the audit', async () => {
  await using app = await startTestApp({ env: ENV })
  const post = (headers: Record<string, string>) => app.api.send('POST', '/mcp', { jsonrpc: '2.0' }, headers)
  const wrong = await post({ ...bearer('CANARY'), 'user-agent': 'evil', 'x-request-id': 'r-1' })
  const foreign = await post({ origin: 'https://evil.example' })
  expect([wrong.status, foreign.status]).toEqual([401, 403])
  const [first, second, ...more] = await records(app, await tokenOf(app), 'action=mcp:enter')
  expect([first, second, more]).toMatchObject([
    { resource: '/mcp', outcome: 'denied', code: 'authentication_error', request_id: 'r-1' },
    { resource: '/mcp', outcome: 'denied', code: 'forbidden' },
    [],
  ])
  expect(JSON.stringify(first)).not.toContain('CANARY')
})

test('R292 what the operator changes in the file is in the audit', async () => {
  await using app = await startTestApp({ env: ENV })
  await app.writeFile({ namespaces: { dev: {} } })
  app.app.reload()
  const token = await tokenOf(app)
  await until('it is recorded', async () => {
    const found = await records(app, token, 'action=settings:update')
    return found.length === 1 && shortly(found[0]!) === 'gateway settings:update config file success'
  })
})

test('R292 an auditor reads the audit and nobody else but an administrator does', async () => {
  await using app = await startTestApp({ env: ENV })
  const root = await tokenOf(app)
  const reads = async (roles: readonly string[]) => {
    const who = { username: `user-${roles.join('-')}`, password: 'correct horse battery' }
    await app.api.send('POST', 'users', { ...who, roles }, bearer(root))
    const token = await tokenOf(app, who)
    const asked = ['audit', 'audit/export'].map((path) => app.api.send('GET', path, undefined, bearer(token)))
    const verify = app.api.send('POST', 'audit/verify', {}, bearer(token))
    return (await Promise.all([...asked, verify])).map(({ status }) => status)
  }
  expect(await reads(['auditor'])).toEqual([200, 200, 200])
  expect(await reads(['operator', 'developer', 'user', 'viewer'])).toEqual([403, 403, 403])
})
