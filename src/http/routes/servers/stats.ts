import { serverStats, statsQuery } from '#contract/execution'
import { serverParams } from '#contract/server'
import { serverFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { daysBack, statsBody } from '../../execution-shape.ts'

export const getServerStats = endpoint({
  method: 'GET',
  path: '/api/v1/proxy/servers/:id/stats',
  access: 'servers:read',
  group: 'servers',
  summary: 'How often a server was called, by tools, prompts and resources together, and how long it took',
  params: serverParams,
  query: statsQuery,
  status: 200,
  answer: serverStats,

  async handle(context, request) {
    const { id, name } = serverFor(context, request, request.params.id, 'servers:read')
    const stats = await context.executions.stats({ server: name, ...daysBack(request.query.days, context.now()) })
    return { server_id: id, name, ...statsBody(stats) }
  },
})
