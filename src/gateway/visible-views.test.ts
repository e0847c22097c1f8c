import { expect, test } from 'vitest'
import type { Principal } from '#identity/principal'
import { createPolicy } from '#policy/policy'
import { roleOf, type Role } from '#policy/roles'
import type { WrittenPermission } from '#policy/permission'
import { openTestRegistry } from '../../test/support/test-registry.ts'
import { createVisibleViews } from './visible-views.ts'

const role = (permissions: readonly WrittenPermission[], deny: readonly WrittenPermission[] = []): Role =>
  roleOf({ name: 'r', permissions, deny })
const R: Principal = { id: 'ann', roles: ['r'], kind: 'user' }
const names = (view: { readonly tools: readonly { exposedName: string }[] } | undefined) =>
  view?.tools.map(({ exposedName }) => exposedName)

async function stage(given: Role) {
  const t = await openTestRegistry()
  await t.add('files', ['read', 'delete'])
  await t.add('mail', ['send'])
  const namespace = { include: [], exclude: [], expose: 'search', pinned: ['*'], overrides: {} } as const
  await t.registry.namespaces.register({ ...namespace, name: 'dev', servers: ['files'] })
  const nice = { files__delete: { name: 'nice' } }
  await t.registry.namespaces.register({ ...namespace, name: 'renamed', servers: ['files'], overrides: nice })
  const views = createVisibleViews(t.registry.catalog, createPolicy([given]))
  return { ...t, views, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() }
}

test('Z6 what is hidden is not pinned either', async () => {
  await using t = await stage(role(['*:*'], ['tools:execute:*delete*']))
  expect(names({ tools: t.views.view(R, 'dev')?.pinned ?? [] })).toEqual(['files__read'])
})

test('R152 a namespace that calls a tool by another name does not free it', async () => {
  await using t = await stage(role(['*:*'], ['tools:execute:files__delete']))
  expect(names(t.views.view(R, 'renamed'))).toEqual(['files__read'])
  await using allowed = await stage(role(['tools:execute:files__delete']))
  expect(names(allowed.views.view(R, 'renamed'))).toEqual(['nice'])
})

test('R152 conditions on server and namespace', async () => {
  await using t = await stage(role([{ permission: 'tools:execute', when: { servers: ['ma*'] } }]))
  expect(names(t.views.view(R))).toEqual(['mail__send'])
  await using u = await stage(role([{ permission: 'tools:*', when: { namespaces: ['dev'] } }]))
  expect(names(u.views.view(R))).toEqual([])
  expect(names(u.views.view(R, 'dev'))).toEqual(['files__read', 'files__delete'])
  const tool = u.registry.catalog.view()?.toolByName.get('files__read')
  expect([tool && u.views.mayRead(R, tool), tool && u.views.mayRead(R, tool, 'dev')]).toEqual([false, true])
})

test('Z11 a credential for some namespaces sees no other, and where all meet what one of them shows', async () => {
  await using t = await stage(role(['*:*']))
  const key: Principal = { ...R, kind: 'api-key', keyId: 'k', namespaces: ['dev'] }
  expect(t.views.view(key, 'renamed')).toBeUndefined()
  expect(names(t.views.view(key, 'dev'))).toEqual(['files__read', 'files__delete'])
  expect(names(t.views.view(key))).toEqual(['files__read', 'files__delete'])
  expect(names(t.views.view({ ...key, namespaces: [] }))).toEqual([])
  const mail = t.registry.catalog.view()?.toolByName.get('mail__send')
  expect(mail && t.views.mayRead(key, mail)).toBe(false)
  expect(mail && t.views.mayRead(R, mail)).toBe(true)
  const all = [R, key].flatMap((each) => [t.views.mayReadAll(each), t.views.mayReadAll(each, 'dev')])
  expect(all).toEqual([true, true, false, true])
  expect(t.views.mayReadAll(key, 'renamed')).toBe(false)
  await t.registry.namespaces.update('dev', { servers: ['mail'] })
  expect(names(t.views.view(key))).toEqual(['mail__send'])
})
