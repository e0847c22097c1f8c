import { apiKeyParams } from '#contract/api-key'
import { noContent } from '#contract/scalars'
import { AppError } from '#kernel/errors'
import { endpoint } from '../../endpoint.ts'

export const revokeApiKey = endpoint({
  method: 'DELETE',
  path: '/api/v1/api-keys/:id',
  access: 'self',
  group: 'api-keys',
  summary: 'Revoke one of your own API keys, at once and for good',
  params: apiKeyParams,
  status: 204,
  answer: noContent,

  async handle({ identity, policy }, { principal, params }) {
    const { ownerId } = await identity.apiKeys.find(params.id)
    const isMine = ownerId === principal.id || policy.decide(principal, 'users:update').allowed
    if (!isMine) throw new AppError('not_found', `There is no API key ${params.id}`)
    await identity.apiKeys.revoke(params.id)
  },
})
