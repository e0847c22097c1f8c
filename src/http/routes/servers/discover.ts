import { discoveryAnswer, discoveryRequest } from '#contract/discovery'
import { AppError } from '#kernel/errors'
import { demand, serverThing } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'

export const discoverServers = endpoint({
  method: 'POST',
  path: '/api/v1/proxy/discovery',
  access: 'servers:create',
  group: 'servers',
  summary: 'Look for MCP servers and register the new ones',
  body: discoveryRequest,
  status: 200,
  answer: discoveryAnswer,

  async handle(context, request) {
    const { discover } = context
    const { body } = request
    // Whatever it finds, by whatever name.
    demand(context, request, 'servers:create', serverThing('*'))
    if (!discover) throw new AppError('unavailable', 'This gateway has no discovery')
    const servers = await discover(body.source)
    return { servers, total: servers.length }
  },
})
