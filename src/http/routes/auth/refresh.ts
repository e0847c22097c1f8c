import { refreshRequest, tokenAnswer } from '#contract/auth'
import { endpoint } from '../../endpoint.ts'
import { pairAnswer } from '../../token-shape.ts'

export const refreshLogin = endpoint({
  method: 'POST',
  path: '/api/v1/auth/refresh',
  access: 'public',
  rate: 'login',
  group: 'auth',
  summary: 'A new pair of tokens for a refresh token, which is used up',
  body: refreshRequest,
  status: 200,
  answer: tokenAnswer,

  async handle({ identity }, { body }) {
    return pairAnswer(await identity.pairs.renew(body.refresh_token))
  },
})
