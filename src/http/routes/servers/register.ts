import { serverDetails, serverRegistration } from '#contract/server'
import { demand, serverThing } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { serverDetailsBody, serverDraft } from '../../server-shape.ts'

export const registerServer = endpoint({
  method: 'POST',
  path: '/api/v1/proxy/servers',
  access: 'servers:create',
  group: 'servers',
  summary: 'Add an MCP server; it connects in the background',
  body: serverRegistration,
  status: 201,
  answer: serverDetails,

  async handle(context, request) {
    const draft = serverDraft(request.body, context.toolTimeoutMs)
    demand(context, request, 'servers:create', serverThing(draft.name))
    request.told.rule = await context.admit?.(draft)
    return serverDetailsBody(context, await context.registry.upstreams.register(draft))
  },
})
