import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENDPOINTS } from '#http/routes'
import { legacyRaw } from '../support/raw-clients.ts'
import { bearer, openSecurityStage, PASSWORD, type Actor, type SecurityStage } from '../support/security-stage.ts'
import { until } from '../support/until.ts'

const NOBODY = '0190a1b2-0000-7000-8000-000000000000'

let stage: SecurityStage

beforeAll(async () => {
  stage = await openSecurityStage({
    file: (backend) => ({ tools: { lamp: { endpoint: `${backend.url}/lamp`, description: 'x' } } }),
  })
  stage.backend.on('/lamp', '{}')
})

afterAll(() => stage[Symbol.asyncDispose]())

type Send = typeof stage.api.send

const as = ({ headers }: Pick<Actor, 'headers'>) => {
  const send = (method: Parameters<Send>[0], path: string, body?: unknown) =>
    stage.api.send(method, path, body, { ...headers })
  return { send, status: async (...request: Parameters<typeof send>) => (await send(...request)).status }
}

const made = async (name: string, ...permissions: string[]) => {
  expect(await as(stage.admin).status('POST', 'roles', { name, permissions })).toBe(201)
}

const usersBody = (roles: readonly string[], username = 'made-by-ann') => ({ username, password: PASSWORD, roles })

/** Z4: to manage people is not to be an administrator. */
describe('Z4, R063 who may change people or roles', () => {
  test('a user changes neither his own roles nor what they may', async () => {
    for (const role of ['viewer', 'user', 'developer', 'operator']) {
      const ann = await stage.join(role)
      const { status } = as(ann)
      expect(await status('PATCH', `users/${ann.id}`, { roles: ['admin'] })).toBe(403)
      expect(await status('POST', 'users', usersBody(['admin']))).toBe(403)
      expect(await status('PUT', `roles/${role}`, { permissions: ['*:*'] })).toBe(403)
      expect(await status('POST', 'roles', { name: 'mine', permissions: ['*:*'] })).toBe(403)
      expect((await as(ann).send('GET', 'auth/me')).body).toMatchObject({ roles: [role] })
    }
  })

  test('gives no more than he has, and takes hold of nobody who has more', async () => {
    await made('people', 'users:*', 'roles:*', 'tools:read')
    const ann = await stage.join('people', 'viewer')
    const { send, status } = as(ann)
    for (const roles of [['admin'], ['viewer', 'operator'], ['user']])
      expect(await status('POST', 'users', usersBody(roles))).toBe(403)
    const { body } = await send('POST', 'users', usersBody(['viewer']))
    const mine = `users/${String(body['user_id'])}`
    expect(await status('PATCH', mine, { roles: ['admin'] })).toBe(403)
    expect(await status('PATCH', `users/${ann.id}`, { roles: ['people', 'admin'] })).toBe(403)
    expect(await status('PATCH', mine, { full_name: 'Made' })).toBe(200)
    const admin = `users/${stage.admin.id}`
    const other = await stage.join('operator')
    for (const path of [admin, `users/${other.id}`])
      for (const change of [{ password: 'now it is my password' }, { is_active: false }, { roles: ['viewer'] }])
        expect(await status('PATCH', path, change)).toBe(403)
    expect(await status('DELETE', admin)).toBe(403)
    const key = await stage.keyOf(stage.admin)
    expect(await status('DELETE', `api-keys/${key.id}`)).toBe(403)
    expect(await status('POST', 'roles', { name: 'wide', permissions: ['tools:execute'] })).toBe(403)
    expect(await status('POST', 'roles', { name: 'narrow', permissions: ['tools:read:x*'] })).toBe(201)
    expect(await status('PUT', 'roles/narrow', { permissions: ['*:*'] })).toBe(403)
    expect(await status('PUT', 'roles/people', { permissions: ['users:*', 'roles:*', 'tools:*'] })).toBe(403)
    expect(await status('DELETE', mine)).toBe(204)
    expect(await stage.login('root', 'correct horse battery')).toHaveProperty('token')
  })

  test('and frees nobody of what is denied', async () => {
    const role = { name: 'no-mail', permissions: [], deny: ['tools:execute:mail*'] }
    expect(await as(stage.admin).status('POST', 'roles', role)).toBe(201)
    await made('roles-only', 'roles:*')
    const { status } = as(await stage.join('roles-only'))
    expect(await status('PUT', 'roles/no-mail', { permissions: [], deny: [] })).toBe(403)
    expect(await status('DELETE', 'roles/no-mail')).toBe(403)
  })

  test('a role that there is not is given to nobody', async () => {
    for (const roles of [['root'], ['Admin'], ['constructor'], ['viewer', 'nobody-made-it']])
      expect(await as(stage.admin).status('POST', 'users', usersBody(roles))).toBe(422)
  })
})

test('Z5 the last administrator stays one: not removed, demoted or deactivated, nor two by each other at once', async () => {
  const { send, status } = as(stage.admin)
  const root = `users/${stage.admin.id}`
  for (const change of [{ roles: ['user'] }, { roles: [] }, { is_active: false }])
    expect(await status('PATCH', root, change)).toBe(409)
  expect(await status('DELETE', root)).toBe(409)
  const second = await stage.join('admin')
  const both = await Promise.all([
    as(second).status('PATCH', root, { roles: ['user'] }),
    status('PATCH', `users/${second.id}`, { roles: ['user'] }),
  ])
  expect(both.filter((each) => each === 200)).toHaveLength(1)
  const winner = both[0] === 200 ? second : stage.admin
  await as(winner).send('PATCH', root, { roles: ['admin'] })
  expect((await send('GET', 'auth/me')).body).toMatchObject({ roles: ['admin'] })
})

/** Z2: members that an answer shows are not members that a request takes. */
test('Z2 no request takes members that make more of somebody or something', async () => {
  const SMUGGLED = {
    role: 'admin',
    isAdmin: true,
    is_admin: true,
    tenantId: 't1',
    tenant_id: 't1',
    id: NOBODY,
    user_id: NOBODY,
    owner_id: NOBODY,
    ownerId: NOBODY,
    key: 'mmcp_mine',
    hash: 'x',
    password_hash: 'x',
    passwordHash: 'x',
    tokenEpoch: 99,
    createdAt: 0,
    created_at: '2020-01-01T00:00:00Z',
    origin: 'file',
    built_in: true,
    server: 'other',
    kind: 'mcp',
  }
  const BODIES: Readonly<Record<string, object>> = {
    '/api/v1/auth/login': { username: 'x', password: PASSWORD },
    '/api/v1/auth/refresh': { refresh_token: 'x' },
    '/api/v1/users': usersBody(['viewer'], 'smuggler'),
    '/api/v1/api-keys': { name: 'smuggled' },
    '/api/v1/roles': { name: 'smuggled', permissions: [] },
    '/api/v1/tools': { name: 'smuggled', description: 'x', endpoint: `${stage.backend.url}/x` },
    '/api/v1/tools/search': { query: 'x' },
    '/api/v1/tools/:name/execute': { arguments: {} },
    '/api/v1/proxy/servers': { name: 'smuggled', url: `${stage.backend.url}/x` },
    '/api/v1/namespaces': { name: 'smuggled' },
    '/api/v1/admin/log-level': { level: 'INFO' },
  }
  const { send } = as(stage.admin)
  for (const { method, path, body } of ENDPOINTS) {
    if (!body) continue
    for (const [member, value] of Object.entries(SMUGGLED)) {
      // A search may ask for one server.
      if (path.endsWith('/search') && member === 'server') continue
      const sent = { ...BODIES[path], [member]: value }
      const { status, text } = await send(method, path.replaceAll(/:\w+/g, 'lamp'), sent)
      expect([method, path, member, status, text]).toEqual([method, path, member, 422, text])
    }
  }
  for (const [path, list] of [
    ['users', 'smuggler'],
    ...['api-keys', 'roles', 'tools', 'proxy/servers', 'namespaces'].map((each) => [each, 'smuggled']),
  ] as [string, string][])
    expect([path, (await send('GET', path)).text.includes(list)]).toEqual([path, false])
})

/** Z3: an id of somebody else is worth as much as one that nobody has. */
test('Z3 things of others answer as things that there are not', async () => {
  const [ann, bob] = [await stage.join('user'), await stage.join('user')]
  const key = await stage.keyOf(ann)
  await as(ann).send('GET', 'tools/search?q=lamp-of-ann')
  const told = async (method: 'GET' | 'DELETE' | 'PATCH', path: string, id: string) => {
    const { status, text } = await as(bob).send(method, path.replace('ID', id), method === 'PATCH' ? {} : undefined)
    return [status, text.replaceAll(id, 'N').replace(/"timestamp":"[^"]*"/, '')]
  }
  for (const [method, path, id] of [
    ['DELETE', 'api-keys/ID', key.id],
    ['GET', 'users/ID', ann.id],
    ['PATCH', 'users/ID', ann.id],
    ['DELETE', 'users/ID', ann.id],
    ['GET', 'users/ID/logins', ann.id],
    ['GET', 'executions/ID', NOBODY],
  ] as const) {
    const foreign = await told(method, path, id)
    expect(foreign).toEqual(await told(method, path, NOBODY.replace('0190', '0191')))
    expect([403, 404]).toContain(foreign[0])
  }
  for (const send of [
    (owner: string) => as(bob).send('GET', `api-keys?owner=${owner}`),
    (owner: string) => as(bob).send('POST', 'api-keys', { name: 'x', owner }),
  ]) {
    const [known, unknown] = [await send(ann.username), await send('nobody-at-all')]
    expect([known.status, { ...known.body, timestamp: '' }]).toEqual([403, { ...unknown.body, timestamp: '' }])
    expect((await send(bob.username)).status).toBeLessThan(300)
  }
  expect((await as(bob).send('GET', 'api-keys')).body).toMatchObject({ total: 1 })
  await until('the search is in the history', async () =>
    (await as(ann).send('GET', 'searches')).text.includes('lamp-of-ann'),
  )
  expect((await as(bob).send('GET', 'searches')).text).not.toContain('lamp-of-ann')
  expect(await as(ann).status('GET', 'tools')).toBe(200)
  expect((await stage.api.send('GET', 'auth/me', undefined, { ...key.headers })).status).toBe(200)
})

/** J4: names that mean something to JavaScript mean nothing here. */
describe('J4', () => {
  const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']

  test('members of these names pollute nothing, wherever they are sent', async () => {
    const poison = '{"polluted":"yes","isAdmin":true,"roles":["admin"],"allowed":true,"access":"public"}'
    for (const { method, path, body } of ENDPOINTS) {
      if (!body) continue
      for (const text of [
        `{"__proto__":${poison}}`,
        `{"constructor":{"prototype":${poison}}}`,
        `{"name":"x","description":"x","endpoint":"${stage.backend.url}/x","metadata":{"__proto__":${poison}}}`,
        `{"name":"x","url":"${stage.backend.url}/x","headers":{"__proto__":"x"},"enabled":false}`,
        `{"arguments":{"__proto__":${poison},"constructor":{"prototype":${poison}}}}`,
      ]) {
        const { status } = await as(stage.admin).send(method, path.replaceAll(/:\w+/g, 'lamp'), text)
        expect([method, path, text, status < 500]).toEqual([method, path, text, true])
      }
    }
    const probe: Record<string, unknown> = {}
    expect(['polluted', 'isAdmin', 'roles', 'allowed', 'access'].filter((name) => probe[name] !== undefined)).toEqual(
      [],
    )
    expect(Object.keys((await as(stage.admin).send('GET', 'auth/me')).body)).not.toContain('polluted')
    expect((await stage.api.send('GET', 'users')).status).toBe(401)
  })

  test('things of these names are not there', async () => {
    const { send, status } = as(stage.admin)
    for (const name of NAMES) {
      for (const path of ['tools', 'roles', 'users', 'namespaces', 'proxy/servers', 'executions'])
        expect([path, name, await status('GET', `${path}/${name}`)]).toEqual([path, name, 404])
      expect((await stage.api.execute(name, {}, { ...stage.admin.headers })).status).toBe(404)
      const roles = { principal: { roles: [name] }, action: 'tools:execute' }
      expect((await send('POST', 'policy/explain', roles)).body).toMatchObject({ allowed: false })
      expect(await status('POST', 'policy/explain', { ...roles, action: name })).toBe(422)
      expect(await status('GET', `tools?namespace=${name}`)).toBe(200)
      expect((await send('GET', `tools?namespace=${name}`)).body).toMatchObject({ total: 0 })
      const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } }
      expect(await status('POST', `/mcp/${name}`, initialize)).toBe(404)
    }
  })

  test('nor are methods, tools and prompts of these names', async () => {
    await using client = await legacyRaw(stage.mcp, { headers: { ...stage.admin.headers } })
    for (const name of NAMES) {
      expect((await client.call(name)).error).toMatchObject({ code: -32601 })
      for (const method of ['tools/call', 'prompts/get', 'resources/read'])
        expect(await client.call(method, { name, uri: name, arguments: {} })).toHaveProperty('error')
    }
    const args = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as Record<string, unknown>
    expect(await client.call('tools/call', { name: 'lamp', arguments: args })).toHaveProperty('result')
    expect(stage.backend.seen.at(-1)?.body).toBe('{"__proto__":{"a":1},"constructor":2}')
  })
})

test('Z1 what a viewer may not do has no effect', async () => {
  const viewer = await stage.join('viewer')
  const before = stage.backend.seen.length
  const state = async () =>
    Promise.all(
      ['tools', 'proxy/servers', 'namespaces', 'roles', 'users', 'api-keys'].map(
        async (path) => (await as(stage.admin).send('GET', path)).text,
      ),
    )
  const known = await state()
  for (const { method, path, access } of ENDPOINTS) {
    if (method === 'GET' || access === 'public' || access === 'self') continue
    const body = method === 'DELETE' ? undefined : { name: 'made-by-a-viewer', arguments: {} }
    if (access === 'tools:read') continue
    expect([method, path, await as(viewer).status(method, path.replaceAll(/:\w+/g, 'lamp'), body)]).toEqual([
      method,
      path,
      403,
    ])
  }
  expect(await state()).toEqual(known)
  expect(stage.backend.seen.length).toBe(before)
  expect((await stage.api.send('GET', 'auth/me', undefined, bearer('x'))).status).toBe(401)
})
