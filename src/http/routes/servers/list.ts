import { serverPage, serverQuery } from '#contract/server'
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

  handle(context, { query }) {
    const { items, info } = pageOf(context.registry.upstreams.list(), query)
    return { servers: items.map((record) => serverBody(context, record)), ...info }
  },
})
