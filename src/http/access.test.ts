import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localPrincipal } from '#identity/principal'
import { BUILT_IN_ROLES } from '#policy/roles'
import { openTestApi } from '../../test/support/test-api.ts'
import { accessTable } from './access-table.ts'
import { createApi } from './api.ts'
import { ENDPOINTS } from './routes.ts'

const PAGE = join(import.meta.dirname, '../../docs/reference/permissions.md')

/** An address that the route takes; what it names need not be there. */
const addressOf = (path: string): string => path.replaceAll(/:\w+/g, 'nothing-of-this-name')

test.each(BUILT_IN_ROLES.map(({ name }) => name))(
  'R060, R150 the role %s gets from every route what the table says, and what it may not do has no effect',
  async (role) => {
    await using t = await openTestApi({ principal: localPrincipal(role) })
    const principal = localPrincipal(role)
    for (const { method, path, access } of ENDPOINTS) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {}
      const { status, body: answer } = await t.send(method, addressOf(path), body)
      const isAllowed = access === 'public' || access === 'self' || t.deps.policy.decide(principal, access).allowed
      expect([method, path, status === 403], JSON.stringify(answer)).toEqual([method, path, !isAllowed])
      if (!isAllowed) expect(answer).toMatchObject({ error: 'permission_denied', details: { permission: access } })
    }
    const mayExecute = t.deps.policy.decide(principal, 'tools:execute').allowed
    expect(t.calls).toHaveLength(mayExecute ? 1 : 0)
  },
)

test('R132 who may not is told so before anything about what was sent', async () => {
  await using t = await openTestApi({ principal: localPrincipal('viewer') })
  expect((await t.send('POST', '/api/v1/tools', '{"broken')).status).toBe(403)
  expect((await t.send('DELETE', '/api/v1/tools/nobody')).status).toBe(403)
  expect((await t.send('GET', '/api/v1/tools/nobody')).status).toBe(404)
})

test('the page of permissions is the table', () => {
  expect(readFileSync(PAGE, 'utf8')).toContain(accessTable(ENDPOINTS))
})

test('Z1 a route that declares nothing stops the start', async () => {
  await using t = await openTestApi()
  const { access: _, ...undeclared } = ENDPOINTS[0]!
  await expect(createApi(t.deps, [...ENDPOINTS, undeclared as (typeof ENDPOINTS)[number]])).rejects.toThrow(
    /declares no access/,
  )
})
