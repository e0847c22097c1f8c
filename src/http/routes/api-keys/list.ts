import { apiKeyPage, apiKeyQuery } from '#contract/api-key'
import { isNarrowed } from '#identity/principal'
import { endpoint } from '../../endpoint.ts'
import { pageOf } from '../../page.ts'
import { apiKeyAnswer } from '../../user-shape.ts'

export const listApiKeys = endpoint({
  method: 'GET',
  path: '/api/v1/api-keys',
  access: 'self',
  group: 'api-keys',
  summary: 'Your own API keys',
  query: apiKeyQuery,
  status: 200,
  answer: apiKeyPage,

  async handle({ identity }, { principal, query }) {
    if (isNarrowed(principal) && principal.keyId !== undefined) {
      // Of its owner's other keys it is told as little as it may do with them.
      const { items, info } = pageOf([await identity.apiKeys.find(principal.keyId)], query)
      return { api_keys: items.map(apiKeyAnswer), ...info }
    }
    const { apiKeys, total } = await identity.apiKeys.list({ ...query, ownerId: principal.id })
    return { api_keys: apiKeys.map(apiKeyAnswer), total, limit: query.limit, offset: query.offset }
  },
})
