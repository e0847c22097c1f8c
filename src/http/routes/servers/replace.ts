import { serverChange, serverDetails, serverParams } from '#contract/server'
import { withAbsent } from '../../defined.ts'
import { demand, serverFor, serverThing } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { serverDetailsBody, serverDraft } from '../../server-shape.ts'

export const replaceServer = endpoint({
  method: 'PUT',
  path: '/api/v1/proxy/servers/:id',
  access: 'servers:update',
  group: 'servers',
  summary: 'Replace the settings of an MCP server; what is absent has its default again',
  params: serverParams,
  body: serverChange,
  status: 200,
  answer: serverDetails,

  async handle(context, request) {
    const { params, body } = request
    const { registry, admit, toolTimeoutMs } = context
    const before = serverFor(context, request, params.id, 'servers:update')
    if (body.name !== undefined) demand(context, request, 'servers:update', serverThing(body.name))
    const draft = serverDraft({ ...body, name: body.name ?? before.name }, toolTimeoutMs, before)
    request.told.rule = await admit?.(draft)
    return serverDetailsBody(
      context,
      await registry.upstreams.update(before.id, withAbsent(draft, ['description', 'breaker', 'attempts'])),
    )
  },
})
