import { Readable } from 'node:stream'
import { tenantOf } from '#audit/tenant'
import { auditLines } from '#contract/audit'
import { endpoint, ReadyStream } from '../../endpoint.ts'

export const exportAudit = endpoint({
  method: 'GET',
  path: '/api/v1/audit/export',
  access: 'audit:read',
  group: 'audit',
  summary: 'All records in their order, one JSON object a line, each with its hash',
  status: 200,
  mediaType: 'application/x-ndjson',
  answer: auditLines,

  async handle({ audit }, { principal }) {
    await audit.flush()
    return new ReadyStream(Readable.from(audit.lines(tenantOf(principal))), 'application/x-ndjson; charset=utf-8')
  },
})
