import { noContent } from '#contract/scalars'
import { userParams } from '#contract/user'
import { endpoint } from '../../endpoint.ts'

export const removeUser = endpoint({
  method: 'DELETE',
  path: '/api/v1/users/:id',
  access: 'users:delete',
  group: 'users',
  summary: 'Remove a user with all its keys and logins',
  params: userParams,
  status: 204,
  answer: noContent,

  handle: ({ identity }, { params }) => identity.users.remove(params.id),
})
