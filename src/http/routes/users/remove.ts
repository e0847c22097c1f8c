import { noContent } from '#contract/scalars'
import { userParams } from '#contract/user'
import { demandUser } from '../../demand.ts'
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

  async handle(context, request) {
    await demandUser(context, request, request.params.id)
    await context.identity.users.remove(request.params.id)
  },
})
