import { expect, test } from 'vitest'
import { identityStage, PASSWORD } from '../../test/support/identity-stage.ts'

const ANN = { username: 'ann', password: PASSWORD, roles: ['user'] }
const ALL = { limit: 100, offset: 0 }

test('R063 a registered user can log in, is listed and can be removed', async () => {
  await using t = await identityStage()
  const { users, logins } = t.identity
  const ann = await users.register({ ...ANN, email: 'ann@example.com', fullName: 'Ann Lee' })
  expect(ann).toMatchObject({ username: 'ann', roles: ['user'], isActive: true, createdAt: t.now(), tokenEpoch: 0 })
  expect(await logins.login('ann', PASSWORD, {})).toEqual(ann)
  expect(await users.find(ann.id)).toEqual(ann)
  expect(await users.list(ALL)).toEqual({ users: [ann], total: 1 })
  await users.remove(ann.id)
  await expect(users.find(ann.id)).rejects.toMatchObject({ code: 'not_found' })
  await expect(users.remove(ann.id)).rejects.toMatchObject({ code: 'not_found' })
  await expect(users.change(ann.id, {})).rejects.toMatchObject({ code: 'not_found' })
})

test('a username is taken in any case of its letters', async () => {
  await using t = await identityStage()
  await t.identity.users.register(ANN)
  await expect(t.identity.users.register({ ...ANN, username: 'ANN' })).rejects.toMatchObject({ code: 'conflict' })
})

test.each([
  ['username', { username: '' }],
  ['username', { username: 'a b' }],
  ['username', { username: '../ann' }],
  ['username', { username: 'аnn' }],
  ['username', { username: 'a'.repeat(65) }],
  ['email', { email: 'nobody' }],
  ['email', { email: `${'a'.repeat(250)}@example.com` }],
  ['full_name', { fullName: 'line\nbreak' }],
  ['full_name', { fullName: 'x'.repeat(201) }],
  ['roles', { roles: ['*'] }],
  ['roles', { roles: Array.from({ length: 33 }, (_, index) => `r${index}`) }],
  ['password', { password: 'too short' }],
])('a wrong %s is refused: %j', async (field, wrong) => {
  await using t = await identityStage()
  const refusal = t.identity.users.register({ ...ANN, ...wrong })
  await expect(refusal).rejects.toMatchObject({ code: 'validation_error', details: { field } })
  expect(await t.identity.users.list(ALL)).toMatchObject({ total: 0 })
})

test('Z2 what a user may not say of itself is not taken from a draft', async () => {
  await using t = await identityStage()
  const forged = { ...ANN, id: 'mine', passwordHash: 'x', tokenEpoch: 99, createdAt: 1, isAdmin: true }
  const ann = await t.identity.users.register(forged)
  expect(ann).toMatchObject({ tokenEpoch: 0, createdAt: t.now() })
  expect(ann.id).not.toBe('mine')
  expect(ann).not.toHaveProperty('isAdmin')
})

test.each([
  ['password', { password: 'another long password' }, 1],
  ['roles', { roles: ['user', 'developer'] }, 0],
  ['activity', { isActive: false }, 1],
  ['everything', { password: 'another long password', roles: [], isActive: false, email: 'a@b' }, 1],
  ['e-mail address', { email: 'ann@example.com', fullName: 'Ann' }, 0],
  ['roles to the same', { roles: ['user', 'user'] }, 0],
  ['nothing', {}, 0],
])('A11 a change of %s ends logins only where it must', async (_, changes, epoch) => {
  await using t = await identityStage()
  const ann = await t.identity.users.register(ANN)
  t.pass(1000)
  const changed = await t.identity.users.change(ann.id, changes)
  expect(changed).toMatchObject({ tokenEpoch: epoch, updatedAt: t.now(), createdAt: ann.createdAt })
  expect(changed.passwordChangedAt).toBe('password' in changes ? t.now() : ann.passwordChangedAt)
  expect(await t.identity.users.find(ann.id)).toEqual(changed)
  expect(t.withdrawn).toEqual([ann.id])
})

test('a null removes what a user need not have', async () => {
  await using t = await identityStage()
  const { id } = await t.identity.users.register({ ...ANN, email: 'a@b', fullName: 'Ann' })
  const changed = await t.identity.users.change(id, { email: null })
  expect(changed).not.toHaveProperty('email')
  expect(changed.fullName).toBe('Ann')
})

test('a change that breaks a rule changes nothing and ends nothing', async () => {
  await using t = await identityStage()
  const ann = await t.identity.users.register(ANN)
  await expect(t.identity.users.change(ann.id, { roles: [], password: 'short' })).rejects.toMatchObject({
    code: 'validation_error',
  })
  expect(await t.identity.users.find(ann.id)).toEqual(ann)
  expect(t.withdrawn).toEqual([])
})

test('Z5 the last administrator stays one', async () => {
  await using t = await identityStage()
  const { users } = t.identity
  const root = await users.register({ ...ANN, username: 'root', roles: ['admin'] })
  const refusals = [
    users.change(root.id, { roles: ['user'] }),
    users.change(root.id, { isActive: false }),
    users.remove(root.id),
  ]
  for (const refusal of refusals) await expect(refusal).rejects.toMatchObject({ code: 'conflict' })
  await users.register({ ...ANN, roles: ['admin'] })
  await users.remove(root.id)
})

test('A25 the first administrator has a random password that is told once, and there is no second first one', async () => {
  await using t = await identityStage()
  const first = await t.identity.ensureAdministrator({ username: 'admin' })
  expect(first?.user).toMatchObject({ username: 'admin', roles: ['admin'] })
  expect(first?.password).toMatch(/^[A-Za-z2-9]{24}$/)
  expect(await t.identity.logins.login('admin', first?.password ?? '', {})).toMatchObject({ username: 'admin' })
  expect(await t.identity.ensureAdministrator({ username: 'other' })).toBeUndefined()
  await using other = await identityStage()
  expect((await other.identity.ensureAdministrator({ username: 'admin' }))?.password).not.toBe(first?.password)
})

test('A25 a given password is used, not told, and held to the rules', async () => {
  await using t = await identityStage()
  const weak = t.identity.ensureAdministrator({ username: 'admin', password: 'admin' })
  await expect(weak).rejects.toMatchObject({ code: 'validation_error' })
  const first = await t.identity.ensureAdministrator({ username: 'admin', password: PASSWORD })
  expect(first).toEqual({ user: expect.objectContaining({ username: 'admin' }) as unknown })
})

test('A25 of gateways that start at once one makes the administrator', async () => {
  await using t = await identityStage()
  const starts = [t.identity, t.another(), t.another()].map((each) => each.ensureAdministrator({ username: 'admin' }))
  expect((await Promise.all(starts)).filter(Boolean)).toHaveLength(1)
})
