import { tenantOf } from '#audit/tenant'
import { auditPage, auditQuery } from '#contract/audit'
import { defined } from '../../defined.ts'
import { endpoint } from '../../endpoint.ts'
import { msOf } from '../../page.ts'

export const listAudit = endpoint({
  method: 'GET',
  path: '/api/v1/audit',
  access: 'audit:read',
  group: 'audit',
  summary: 'Who did what, refusals included, newest first',
  query: auditQuery,
  status: 200,
  answer: auditPage,

  async handle({ audit }, { query, principal }) {
    const { from, to, limit, offset, ...filters } = query
    const times = { from: msOf(from), to: msOf(to) }
    const filter = { ...defined({ ...filters, ...times }), tenant: tenantOf(principal), limit, offset }
    const { records, total } = await audit.list(filter)
    return { records, total, limit, offset }
  },
})
