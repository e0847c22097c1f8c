import { apiKeyPage, apiKeyQuery } from '#contract/api-key'
import { isNarrowed } from '#identity/principal'
import { defined } from '../../defined.ts'
import { endpoint } from '../../endpoint.ts'
import { ownerOfListedKeys } from '../../key-owner.ts'
import { pageOf } from '../../page.ts'
import { apiKeyAnswer } from '../../user-shape.ts'

export const listApiKeys = endpoint({
  method: 'GET',
  path: '/api/v1/api-keys',
  access: 'self',
  group: 'api-keys',
  summary: 'Your own API keys, or those of another user',
  query: apiKeyQuery,
  status: 200,
  answer: apiKeyPage,

  async handle(context, { principal, query: { owner, limit, offset } }) {
    const { identity } = context
    if (isNarrowed(principal) && principal.keyId !== undefined) {
      // Of its owner's other keys it is told as little as it may do with them.
      const { items, info } = pageOf([await identity.apiKeys.find(principal.keyId)], { limit, offset })
      return { api_keys: items.map((key) => apiKeyAnswer(key, principal.username)), ...info }
    }
    const ownerId = await ownerOfListedKeys(context, principal, owner)
    const { apiKeys, total } = await identity.apiKeys.list({ limit, offset, ...defined({ ownerId }) })
    const ids = [...new Set(apiKeys.map((key) => key.ownerId))]
    const users = await Promise.all(ids.map((id) => identity.users.find(id)))
    const names = new Map(users.map(({ id, username }) => [id, username]))
    return { api_keys: apiKeys.map((key) => apiKeyAnswer(key, names.get(key.ownerId))), total, limit, offset }
  },
})
