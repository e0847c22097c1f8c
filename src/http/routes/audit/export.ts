import { Readable } from 'node:stream'
import { tenantOf } from '#audit/tenant'
import { auditLines, exportQuery } from '#contract/audit'
import { endpoint, ReadyStream } from '../../endpoint.ts'

export const exportAudit = endpoint({
  method: 'GET',
  path: '/api/v1/audit/export',
  access: 'audit:read',
  group: 'audit',
  summary: 'All records in their order, one JSON object a line, each with its hash',
  query: exportQuery,
  status: 200,
  mediaType: 'application/x-ndjson',
  answer: auditLines,

  async handle({ audit }, { principal, query: { after, limit } }) {
    await audit.flush()
    const lines = audit.lines(tenantOf(principal), after, limit)
    return new ReadyStream(Readable.from(lines), 'application/x-ndjson; charset=utf-8')
  },
})
