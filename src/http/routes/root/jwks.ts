import { jwksAnswer } from '#contract/jwks'
import { endpoint } from '../../endpoint.ts'

export const getJwks = endpoint({
  method: 'GET',
  path: '/.well-known/jwks.json',
  access: 'public',
  group: 'root',
  summary: 'The public keys that verify access tokens; none where a secret key signs',
  status: 200,
  answer: jwksAnswer,

  handle: ({ identity }) => ({ keys: identity.jwks().keys.map((key) => ({ ...key })) }),
})
