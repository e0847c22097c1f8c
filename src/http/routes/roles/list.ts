import { rolePage, roleQuery } from '#contract/role'
import { endpoint } from '../../endpoint.ts'
import { pageOf } from '../../page.ts'
import { builtInAnswer, roleAnswer } from '../../role-shape.ts'

export const listRoles = endpoint({
  method: 'GET',
  path: '/api/v1/roles',
  access: 'roles:read',
  group: 'roles',
  summary: 'Roles and what they allow, the built-in ones first',
  query: roleQuery,
  status: 200,
  answer: rolePage,

  handle({ roles }, { query }) {
    const all = [...roles.builtIn().map(builtInAnswer), ...roles.custom().map(roleAnswer)]
    const { items, info } = pageOf(all, query)
    return { roles: items, ...info }
  },
})
