import { userBody, userChange, userParams } from '#contract/user'
import { defined } from '../../defined.ts'
import { demandRoles, demandUser } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { userAnswer } from '../../user-shape.ts'

export const changeUser = endpoint({
  method: 'PATCH',
  path: '/api/v1/users/:id',
  access: 'users:update',
  group: 'users',
  summary: 'Change a user; another password or deactivation ends what the user is logged in with',
  params: userParams,
  body: userChange,
  status: 200,
  answer: userBody,

  async handle(context, request) {
    const { params, body } = request
    const { is_active: isActive, full_name: fullName, password, roles, email } = body
    await demandUser(context, request, params.id)
    if (roles) demandRoles(context, request, roles)
    const changes = defined({ isActive, fullName, password, roles, email })
    return userAnswer(await context.identity.users.change(params.id, changes))
  },
})
