import { userBody, userRegistration } from '#contract/user'
import { defined } from '../../defined.ts'
import { demandRoles } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { userAnswer } from '../../user-shape.ts'

export const registerUser = endpoint({
  method: 'POST',
  path: '/api/v1/users',
  access: 'users:create',
  group: 'users',
  summary: 'Add a user',
  body: userRegistration,
  status: 201,
  answer: userBody,

  async handle(context, request) {
    const { username, password, roles, is_active: isActive, email, full_name: fullName } = request.body
    demandRoles(context, request, roles)
    const about = defined({ email, fullName })
    return userAnswer(await context.identity.users.register({ username, password, roles, isActive, ...about }))
  },
})
