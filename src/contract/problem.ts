import { z } from 'zod'
import { timestamp } from './scalars.ts'

/** The body of every failure. */
export const problem = z
  .object({
    error: z.string().describe('Code of the catalogue: docs/reference/errors.md'),
    message: z.string().describe('A sentence for people'),
    details: z.record(z.string(), z.unknown()),
    timestamp,
  })
  .meta({ description: 'A failure' })
export type Problem = z.infer<typeof problem>
