import { meAnswer } from '#contract/auth'
import { endpoint } from '../../endpoint.ts'

export const getMe = endpoint({
  method: 'GET',
  path: '/api/v1/auth/me',
  access: 'self',
  group: 'auth',
  summary: 'Who you are to the gateway',
  status: 200,
  answer: meAnswer,

  handle({ roles }, { principal }) {
    return {
      user_id: principal.id,
      username: principal.username ?? null,
      roles: [...principal.roles],
      permissions: roles.permissionsOf(principal),
    }
  },
})
