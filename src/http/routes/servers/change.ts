import { serverChange as serverChangeBody, serverDetails, serverParams } from '#contract/server'
import { demand, serverFor, serverThing } from '../../demand.ts'
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

  async handle(context, request) {
    const { params, body } = request
    const { registry, admit } = context
    const before = serverFor(context, request, params.id, 'servers:update')
    if (body.name !== undefined) demand(context, request, 'servers:update', serverThing(body.name))
    const change = serverChange(body, before)
    if (change.connection) request.told.rule = await admit?.({ ...before, ...change })
    return serverDetailsBody(context, await registry.upstreams.update(before.id, change))
  },
})
