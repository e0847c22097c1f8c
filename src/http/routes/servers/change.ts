import { serverChange as serverChangeBody, serverDetails, serverParams } from '#contract/server'
import { endpoint } from '../../endpoint.ts'
import { serverChange, serverDetailsBody } from '../../server-shape.ts'

export const changeServer = endpoint({
  method: 'PATCH',
  path: '/api/v1/proxy/servers/:id',
  access: 'servers:update',
  group: 'servers',
  summary: 'Replace some settings of an MCP server',
  params: serverParams,
  body: serverChangeBody,
  status: 200,
  answer: serverDetails,

  async handle(context, { params, body }) {
    const { registry, admit } = context
    const before = registry.upstreams.get(params.id)
    const change = serverChange(body, before)
    if (change.connection) await admit?.({ ...before, ...change })
    return serverDetailsBody(context, await registry.upstreams.update(before.id, change))
  },
})
