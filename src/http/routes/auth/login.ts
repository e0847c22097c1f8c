import { loginRequest, tokenAnswer } from '#contract/auth'
import { endpoint } from '../../endpoint.ts'
import { pairAnswer } from '../../token-shape.ts'

export const login = endpoint({
  method: 'POST',
  path: '/api/v1/auth/login',
  access: 'public',
  rate: 'login',
  group: 'auth',
  summary: 'Tokens for a user name and a password',
  body: loginRequest,
  status: 200,
  answer: tokenAnswer,

  async handle({ identity }, { body: { username, password }, origin, told }) {
    const user = await identity.logins.login(username, password, origin)
    told.actor = user
    return pairAnswer(await identity.pairs.open(user))
  },
})
