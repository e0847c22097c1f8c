import { z } from 'zod'
import { page, pageInfo, text, timeInput, timestamp } from './scalars.ts'

const outcome = z.enum(['success', 'error', 'denied'])

export const auditQuery = z.strictObject({
  actor: text(256).optional().describe('Id of the principal'),
  action: text(128).optional(),
  resource: text(4096).optional(),
  outcome: outcome.optional(),
  from: timeInput.optional().describe('At or after'),
  to: timeInput.optional().describe('Before'),
  ...page,
})

/** Members that do not apply to what was done are absent. */
const auditRecord = z.object({
  seq: z.int(),
  id: z.string().describe('Of a call the id of its execution'),
  time: timestamp,
  tenant: z.string(),
  actor: z.string().describe('Id of the principal; empty for somebody who proved nothing'),
  username: z.string().optional(),
  key: z.string().optional().describe('Id of the API key'),
  action: z.string(),
  resource: z.string(),
  outcome,
  code: z.string().optional(),
  request_id: z.string().optional(),
  surface: z.string(),
  rule: z.string().optional().describe('What decided'),
  facts: z.record(z.string(), z.unknown()).optional(),
})

export const auditPage = z.object({ records: z.array(auditRecord), ...pageInfo })
export type AuditPage = z.infer<typeof auditPage>

export const exportQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe('Only records with a higher number'),
  limit: z.coerce.number().int().min(1).max(1_000_000_000).optional(),
})

const head = { seq: z.int().min(0), hash: z.string().max(64) }

export const verifyRequest = z
  .strictObject({
    since: z.strictObject(head).optional().describe('A head that was noted earlier: only what came later is read'),
  })
  .default({})

export const verifyAnswer = z.object({
  ok: z.boolean(),
  records: z.int().describe('That were looked at and fit'),
  first_bad: z.int().optional().describe('Number of the first record that is not as it was written, or is gone'),
  reason: z.string().optional(),
  head: z.object(head).describe('The end of the chain; note it to compare later'),
})
export type VerifyAnswer = z.infer<typeof verifyAnswer>

export const auditLines = z.string()
