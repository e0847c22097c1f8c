import { apiKeyMade, apiKeyRegistration } from '#contract/api-key'
import { checkPermission } from '#policy/permission'
import { defined } from '../../defined.ts'
import { endpoint } from '../../endpoint.ts'
import { ownerOfNewKey } from '../../key-owner.ts'
import { apiKeyAnswer } from '../../user-shape.ts'

export const createApiKey = endpoint({
  method: 'POST',
  path: '/api/v1/api-keys',
  access: 'self',
  group: 'api-keys',
  summary: 'Make an API key, good for what its owner may do or less; it is shown once',
  body: apiKeyRegistration,
  status: 201,
  answer: apiKeyMade,

  async handle(context, { principal, body }) {
    const { name, owner: named, expires_at: expiresAt, permissions, namespaces, addresses } = body
    permissions?.forEach(checkPermission)
    const owner = await ownerOfNewKey(context, principal, named)
    const expires = expiresAt === undefined ? undefined : Date.parse(expiresAt)
    const narrowing = defined({ permissions, namespaces, addresses, expiresAt: expires })
    const { apiKey, key } = await context.identity.apiKeys.create({ name, ownerId: owner.id, ...narrowing })
    return { ...apiKeyAnswer(apiKey, owner.username), key }
  },
})
