import { apiKeyPage, apiKeyQuery } from '#contract/api-key'
import { endpoint } from '../../endpoint.ts'
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
    const { apiKeys, total } = await identity.apiKeys.list({ ...query, ownerId: principal.id })
    return { api_keys: apiKeys.map(apiKeyAnswer), total, limit: query.limit, offset: query.offset }
  },
})
