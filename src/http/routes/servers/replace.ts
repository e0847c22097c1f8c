import { serverChange, serverDetails, serverParams } from '#contract/server'
import { withAbsent } from '../../defined.ts'
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

  async handle(context, { params, body }) {
    const { registry, admit, toolTimeoutMs } = context
    const before = registry.upstreams.get(params.id)
    const draft = serverDraft({ ...body, name: body.name ?? before.name }, toolTimeoutMs, before)
    await admit?.(draft)
    return serverDetailsBody(context, await registry.upstreams.update(before.id, withAbsent(draft, ['description'])))
  },
})
