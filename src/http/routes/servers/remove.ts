import { noContent } from '#contract/scalars'
import { serverParams } from '#contract/server'
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

  async handle({ registry }, { params }) {
    await registry.upstreams.remove(params.id)
  },
})
