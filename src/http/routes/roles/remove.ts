import { roleParams } from '#contract/role'
import { noContent } from '#contract/scalars'
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

  handle: ({ roles }, { params }) => roles.remove(params.name),
})
