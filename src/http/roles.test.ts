import { expect, test } from 'vitest'
import { createPolicy } from '#policy/policy'
import { openRoles } from '#policy/role-registry'
import { BUILT_IN_ROLES } from '#policy/roles'
import { openTestApi, type TestApi } from '../../test/support/test-api.ts'

const CAREFUL = { name: 'careful', permissions: ['tools:execute:files__*'], deny: ['tools:execute:*delete*'] }

const explain = async (t: TestApi, resource: string, ...roles: string[]) =>
  (await t.send('POST', '/api/v1/policy/explain', { principal: { roles }, action: 'tools:execute', resource })).body

test('R150, R151 a role lives: made, listed, in force at once, replaced, removed', async () => {
  await using t = await openTestApi()
  expect(await t.send('POST', '/api/v1/roles', CAREFUL)).toMatchObject({
    status: 201,
    body: { ...CAREFUL, built_in: false },
  })
  const { body } = await t.send('GET', '/api/v1/roles')
  expect((body as { roles: { name: string }[] }).roles.map(({ name }) => name)).toEqual([
    'auditor',
    'viewer',
    'user',
    'developer',
    'operator',
    'admin',
    'careful',
  ])
  expect(await explain(t, 'files__read', 'careful')).toEqual({
    allowed: true,
    rule: 'role careful allows tools:execute:files__*',
    reason: 'tools:execute of files__read is allowed: role careful allows tools:execute:files__*',
  })
  expect(await explain(t, 'files__delete', 'careful', 'admin')).toMatchObject({ allowed: false })
  expect(await explain(t, 'mail__send', 'careful')).toMatchObject({
    allowed: false,
    rule: 'no role allows tools:execute',
  })
  const replaced = await t.send('PUT', '/api/v1/roles/careful', { permissions: ['tools:execute:mail__*'] })
  expect(replaced).toMatchObject({ status: 200, body: { deny: [], permissions: ['tools:execute:mail__*'] } })
  expect(await explain(t, 'mail__send', 'careful')).toMatchObject({ allowed: true })
  expect(await explain(t, 'files__read', 'careful')).toMatchObject({ allowed: false })
  expect((await t.send('DELETE', '/api/v1/roles/careful')).status).toBe(204)
  expect(await explain(t, 'mail__send', 'careful')).toMatchObject({ allowed: false })
  expect((await t.send('GET', '/api/v1/roles/careful')).status).toBe(404)
})

test('R003 roles are there after a restart', async () => {
  await using t = await openTestApi()
  await t.send('POST', '/api/v1/roles', CAREFUL)
  const policy = createPolicy(BUILT_IN_ROLES)
  const roles = await openRoles({ store: t.storage.roles, policy, now: Date.now, newId: () => 'x' })
  expect(roles.custom()).toMatchObject([CAREFUL])
  expect(policy.decide({ roles: ['careful'] }, 'tools:execute', 'files__read').allowed).toBe(true)
})

test('what is built in stays as it is, and a name is taken once', async () => {
  await using t = await openTestApi()
  for (const request of [
    () => t.send('POST', '/api/v1/roles', { ...CAREFUL, name: 'admin' }),
    () => t.send('PUT', '/api/v1/roles/admin', { permissions: [] }),
    () => t.send('DELETE', '/api/v1/roles/viewer'),
  ])
    expect((await request()).status).toBe(409)
  const twice = await Promise.all([1, 2].map(() => t.send('POST', '/api/v1/roles', CAREFUL)))
  expect(twice.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409])
})

test.each([
  { name: 'Careful' },
  { name: '__proto__' },
  { name: 'x', permissions: ['everything'] },
  { name: 'x', permissions: ['tools:fly'] },
  { name: 'x', deny: ['tools:execute:'] },
  { name: 'x', permissions: 'tools:*' },
  { name: 'x', isAdmin: true },
  { name: 'x', permissions: Array.from({ length: 1001 }, () => 'tools:*') },
])('Z2 what is no role is refused: %j', async (body) => {
  await using t = await openTestApi()
  expect((await t.send('POST', '/api/v1/roles', body)).status).toBe(422)
})

test('an action that there is not is no question', async () => {
  await using t = await openTestApi()
  const body = { principal: { roles: [] }, action: 'tools:fly' }
  expect((await t.send('POST', '/api/v1/policy/explain', body)).status).toBe(422)
})
