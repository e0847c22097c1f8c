import { roleBody, roleParams, roleReplacement } from '#contract/role'
import { freed, roleOf } from '#policy/roles'
import { defined } from '../../defined.ts'
import { demandAllOf } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { permissionsOf, roleAnswer } from '../../role-shape.ts'

export const replaceRole = endpoint({
  method: 'PUT',
  path: '/api/v1/roles/:name',
  access: 'roles:update',
  group: 'roles',
  summary: 'Replace what a role allows and denies',
  params: roleParams,
  body: roleReplacement,
  status: 200,
  answer: roleBody,

  async handle(context, request) {
    const { params, body } = request
    const draft = { permissions: permissionsOf(body.permissions), deny: permissionsOf(body.deny) }
    const before = context.roles.get(params.name)
    demandAllOf(context, request, [freed(before), roleOf({ ...draft, name: params.name })])
    const { description } = body
    return roleAnswer(await context.roles.replace(params.name, { ...draft, ...defined({ description }) }))
  },
})
