import { serverDetails, serverParams } from '#contract/server'
import { serverFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { serverDetailsBody } from '../../server-shape.ts'

export const getServer = endpoint({
  method: 'GET',
  path: '/api/v1/proxy/servers/:id',
  access: 'servers:read',
  group: 'servers',
  summary: 'One MCP server with its tools and processes',
  params: serverParams,
  status: 200,
  answer: serverDetails,

  handle(context, request) {
    return serverDetailsBody(context, serverFor(context, request, request.params.id, 'servers:read'))
  },
})
