import { serverLogs, serverParams, serverQuery } from '#contract/server'
import { endpoint } from '../../endpoint.ts'
import { isoTime, pageOf } from '../../page.ts'
import { redactor } from '../../server-secrets.ts'

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

  handle({ registry, upstreams }, { params, query }) {
    const record = registry.upstreams.get(params.id)
    const redact = redactor(record.connection)
    const { items, info } = pageOf(upstreams.logs(record.id).toReversed(), query)
    const lines = items.map(({ at, source, text }) => ({ at: isoTime(at), source, text: redact(text) }))
    return { server_id: record.id, lines: lines.toReversed(), ...info }
  },
})
