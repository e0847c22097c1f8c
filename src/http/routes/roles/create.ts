import { roleBody, roleRegistration } from '#contract/role'
import { roleOf } from '#policy/roles'
import { defined } from '../../defined.ts'
import { demandAllOf } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { permissionsOf, roleAnswer } from '../../role-shape.ts'

export const createRole = endpoint({
  method: 'POST',
  path: '/api/v1/roles',
  access: 'roles:create',
  group: 'roles',
  summary: 'Make a role',
  body: roleRegistration,
  status: 201,
  answer: roleBody,

  async handle(context, request) {
    const { name, permissions, deny, description } = request.body
    const draft = { name, permissions: permissionsOf(permissions), deny: permissionsOf(deny) }
    demandAllOf(context, request, [roleOf(draft)])
    return roleAnswer(await context.roles.create({ ...draft, ...defined({ description }) }))
  },
})
