import { apiKeyMade, apiKeyRegistration } from '#contract/api-key'
import { ValidationError } from '#kernel/errors'
import { readPermission } from '#policy/permission'
import { defined } from '../../defined.ts'
import { endpoint } from '../../endpoint.ts'
import { apiKeyAnswer } from '../../user-shape.ts'

export const createApiKey = endpoint({
  method: 'POST',
  path: '/api/v1/api-keys',
  access: 'self',
  group: 'api-keys',
  summary: 'Make an API key for yourself, good for what you may do or less; it is shown once',
  body: apiKeyRegistration,
  status: 201,
  answer: apiKeyMade,

  async handle({ identity }, { principal, body: { name, expires_at: expiresAt, permissions, namespaces, addresses } }) {
    if (principal.kind !== 'user') throw new ValidationError('An API key belongs to a user: log in first')
    permissions?.forEach(readPermission)
    const expires = expiresAt === undefined ? undefined : Date.parse(expiresAt)
    const narrowing = defined({ permissions, namespaces, addresses, expiresAt: expires })
    const { apiKey, key } = await identity.apiKeys.create({ name, ownerId: principal.id, ...narrowing })
    return { ...apiKeyAnswer(apiKey), key }
  },
})
