import { roleParams } from '#contract/role'
import { noContent } from '#contract/scalars'
import { freed } from '#policy/roles'
import { demandAllOf } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'

export const removeRole = endpoint({
  method: 'DELETE',
  path: '/api/v1/roles/:name',
  access: 'roles:delete',
  group: 'roles',
  summary: 'Take a role away from everybody who has it',
  params: roleParams,
  status: 204,
  answer: noContent,

  async handle(context, request) {
    const { name } = request.params
    demandAllOf(context, request, [freed(context.roles.get(name))])
    await context.roles.remove(name)
  },
})
