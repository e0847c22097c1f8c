import { serverPage, serverQuery } from '#contract/server'
import { maySeeServer } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { pageOf } from '../../page.ts'
import { serverBody } from '../../server-shape.ts'

export const listServers = endpoint({
  method: 'GET',
  path: '/api/v1/proxy/servers',
  access: 'servers:read',
  group: 'servers',
  summary: 'MCP servers and how they are doing',
  query: serverQuery,
  status: 200,
  answer: serverPage,

  handle(context, request) {
    const seen = context.registry.upstreams.list().filter((record) => maySeeServer(context, request, record))
    const { items, info } = pageOf(seen, request.query)
    return { servers: items.map((record) => serverBody(context, record)), ...info }
  },
})
