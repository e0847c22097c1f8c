import { serverDetails, serverParams } from '#contract/server'
import { AppError } from '#kernel/errors'
import { serverFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { serverDetailsBody } from '../../server-shape.ts'

export const restartServer = endpoint({
  method: 'POST',
  path: '/api/v1/proxy/servers/:id/restart',
  access: 'servers:update',
  group: 'servers',
  summary: 'End the sessions of an MCP server and connect anew; answers when the attempt has ended',
  params: serverParams,
  status: 200,
  answer: serverDetails,

  async handle(context, request) {
    const record = serverFor(context, request, request.params.id, 'servers:update')
    if (!record.enabled) throw new AppError('conflict', `The server ${record.name} is disabled: enable it first`)
    await context.upstreams.restart(record.id)
    return serverDetailsBody(context, context.registry.upstreams.get(record.id))
  },
})
