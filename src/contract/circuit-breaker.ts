import { z } from 'zod'
import { page, pageInfo, text, timestamp } from './scalars.ts'

export const breakerQuery = z.strictObject(page)

/** A breaker has the name of its server, or of its tool. */
export const breakerParams = z.object({ name: text(512) })

export const circuitBreaker = z.object({
  name: z.string(),
  kind: z.enum(['server', 'tool']),
  server: z.string(),
  state: z.enum(['closed', 'open', 'half-open']),
  failures: z.int().describe('In a row; of an open one those that opened it'),
  successes: z.int().describe('Successful probes since it is half-open'),
  calls: z.int().describe('That it let through'),
  refused: z.int(),
  times_opened: z.int(),
  failure_threshold: z.int(),
  recovery_seconds: z.number(),
  success_threshold: z.int(),
  last_failure_at: timestamp.nullable(),
  opened_at: timestamp.nullable(),
  probes_at: timestamp.nullable().describe('When the next calls are let through'),
})
export type CircuitBreaker = z.infer<typeof circuitBreaker>

export const breakerPage = z.object({ circuit_breakers: z.array(circuitBreaker), ...pageInfo })
