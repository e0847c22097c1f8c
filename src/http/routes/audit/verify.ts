import { tenantOf } from '#audit/tenant'
import { verifyAnswer, verifyRequest } from '#contract/audit'
import { endpoint } from '../../endpoint.ts'

export const verifyAudit = endpoint({
  method: 'POST',
  path: '/api/v1/audit/verify',
  access: 'audit:read',
  group: 'audit',
  summary: 'Whether every record is still there as it was written',
  body: verifyRequest,
  status: 200,
  answer: verifyAnswer,

  async handle({ audit }, { body: { since }, principal }) {
    return audit.verify(tenantOf(principal), since)
  },
})
