import { messageAnswer } from '#contract/auth'
import { ValidationError } from '#kernel/errors'
import { endpoint } from '../../endpoint.ts'

export const logout = endpoint({
  method: 'POST',
  path: '/api/v1/auth/logout',
  access: 'self',
  group: 'auth',
  summary: 'End the login that this access token is of, at once',
  status: 200,
  answer: messageAnswer,

  async handle({ identity }, { principal, credential }) {
    if (principal.kind !== 'user' || credential === undefined)
      throw new ValidationError('There is no login to end: this request has no access token')
    await identity.pairs.end(credential)
    return { message: 'Logged out' }
  },
})
