import { apiKeyParams } from '#contract/api-key'
import { noContent } from '#contract/scalars'
import { unknownApiKey } from '#identity/api-keys'
import { isNarrowed } from '#identity/principal'
import { demandUser } from '../../demand.ts'
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

  async handle(context, request) {
    const { identity, policy } = context
    const { principal, params } = request
    const { ownerId } = await identity.apiKeys.find(params.id)
    const isMine = ownerId === principal.id && (!isNarrowed(principal) || principal.keyId === params.id)
    if (!isMine && !policy.decide(principal, 'users:update').allowed) throw unknownApiKey()
    if (!isMine) await demandUser(context, request, ownerId)
    await identity.apiKeys.revoke(params.id)
  },
})
