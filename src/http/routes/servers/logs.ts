import { serverLogs, serverParams, serverQuery } from '#contract/server'
import { redactor } from '#registry/connection-secrets'
import { serverFor } from '../../demand.ts'
import { endpoint } from '../../endpoint.ts'
import { isoTime, pageOf } from '../../page.ts'

export const getServerLogs = endpoint({
  method: 'GET',
  path: '/api/v1/proxy/servers/:id/logs',
  access: 'servers:read',
  group: 'servers',
  summary: 'What an MCP server printed and the gateway noted about it, oldest first; offset counts from the newest',
  params: serverParams,
  query: serverQuery,
  status: 200,
  answer: serverLogs,

  handle(context, request) {
    const record = serverFor(context, request, request.params.id, 'servers:read')
    const redact = redactor(record.connection)
    const { items, info } = pageOf(context.upstreams.logs(record.id).toReversed(), request.query)
    const lines = items.map(({ at, source, text }) => ({ at: isoTime(at), source, text: redact(text) }))
    return { server_id: record.id, lines: lines.toReversed(), ...info }
  },
})
