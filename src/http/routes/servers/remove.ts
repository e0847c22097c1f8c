import { noContent } from '#contract/scalars'
import { serverParams } from '#contract/server'
import { serverFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'

export const removeServer = endpoint({
  method: 'DELETE',
  path: '/api/v1/proxy/servers/:id',
  access: 'servers:delete',
  group: 'servers',
  summary: 'Remove an MCP server and all that it offers',
  params: serverParams,
  status: 204,
  answer: noContent,

  async handle(context, request) {
    await context.registry.upstreams.remove(serverFor(context, request, request.params.id, 'servers:delete').id)
  },
})
