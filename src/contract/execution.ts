import { z } from 'zod'
import { page, pageInfo, text, timeInput, timestamp } from './scalars.ts'

const anyObject = z
  .custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'must be an object',
  })
  .meta({ type: 'object', additionalProperties: true })

/** The arguments travel to the tool as they are written here. */
export const executeRequest = z
  .strictObject({
    arguments: anyObject.optional(),
    input_data: anyObject.optional().describe('Another name for arguments'),
  })
  .refine((body) => body.arguments === undefined || body.input_data === undefined, {
    error: 'give arguments or input_data, not both',
  })
export type ExecuteRequest = z.infer<typeof executeRequest>

const status = z.enum(['success', 'error'])

/** `result` is the MCP result as the server wrote it. */
export const executeAnswer = z.object({
  execution_id: z.string(),
  tool_name: z.string(),
  server: z.string(),
  status,
  result: z.unknown(),
  is_error: z.boolean().describe('The tool itself reports a failure'),
  fallback: z.string().nullable().describe('The tool that was called instead'),
  cached: z.boolean().describe('The result was got for another call'),
  stale: z.boolean().describe('Its time was over'),
  execution_time: z.number().describe('Seconds'),
  executed_by: z.string(),
  timestamp,
})
export type ExecuteAnswer = z.infer<typeof executeAnswer>

export const executionQuery = z.strictObject({
  name: text(512).optional(),
  server: text(128).optional(),
  principal: text(256).optional(),
  status: status.optional(),
  from: timeInput.optional().describe('Started at or after'),
  to: timeInput.optional().describe('Started before'),
  ...page,
})
export type ExecutionQuery = z.infer<typeof executionQuery>

export const executionParams = z.object({ id: text(128) })

const execution = z.object({
  execution_id: z.string(),
  trace_id: z.string(),
  kind: z.string(),
  name: z.string(),
  server: z.string(),
  principal: z.string(),
  surface: z.string(),
  namespace: z.string().nullable(),
  status,
  is_error: z.boolean(),
  error: z.string().nullable(),
  error_message: z.string().nullable(),
  started_at: timestamp,
  duration_ms: z.number(),
  request_bytes: z.number(),
  result_bytes: z.number(),
  fallback: z.string().nullable().describe('The tool that was called instead'),
  attempts: z.int().describe('How often it was handed to its server'),
  cached: z.boolean(),
  stale: z.boolean(),
  stages: z.array(z.object({ stage: z.string(), at_ms: z.number() })),
})
export type ExecutionBody = z.infer<typeof execution>

const payload = z.object({
  value: z.unknown().describe('Without what is secret; null where it was cut'),
  text: z
    .string()
    .nullable()
    .describe('The beginning of one that was cut; empty where it was too long to be looked through'),
  truncated: z.boolean(),
})
export type PayloadBody = z.infer<typeof payload>

export const executionDetails = execution.extend({
  payloads: z
    .enum(['none', 'hidden', 'shown'])
    .describe('Hidden: they are kept, and only the caller itself and who may audit:read sees them'),
  arguments: payload.nullable(),
  result: payload.nullable(),
})
export type ExecutionDetails = z.infer<typeof executionDetails>

export const executionPage = z.object({ executions: z.array(execution), ...pageInfo })

export const statsQuery = z.strictObject({
  days: z.coerce
    .number()
    .int()
    .min(1)
    .max(3660)
    .optional()
    .describe('Only the last days, today included, in UTC; without it all that are kept'),
})

/** Of calls that found their server, durations in milliseconds, null without calls. */
const callStats = z.object({
  calls: z.int(),
  successes: z.int(),
  errors: z.int(),
  success_rate: z.number().nullable().describe('0 to 1'),
  average_ms: z.number().nullable(),
  p50_ms: z.number().nullable().describe('Percentiles are less than a tenth off'),
  p95_ms: z.number().nullable(),
  p99_ms: z.number().nullable(),
  last_called_at: timestamp.nullable(),
})
export type CallStats = z.infer<typeof callStats>

export const toolStats = z.object({ tool_name: z.string(), ...callStats.shape })

export const serverStats = z.object({
  server_id: z.string(),
  name: z.string(),
  ...callStats.shape,
})
