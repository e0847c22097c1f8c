import { z } from 'zod'
import { page, pageInfo, text, timestamp } from './scalars.ts'

const tool = text(256).describe('Name of the tool; absent means all')

export const lessonQuery = z.strictObject({ tool: tool.optional(), ...page })
export const lessonRemoval = z.strictObject({ tool: tool.optional() })

export const lessonPage = z.object({
  learning: z.boolean().describe('Whether searches go on teaching (META_MCP_SEARCH_LEARNING)'),
  lessons: z
    .array(
      z.object({
        tool: z.string().nullable().describe('null while the tool is not there'),
        query: z.string(),
        principal: z.string(),
        learned_at: timestamp,
      }),
    )
    .describe('Queries that led to a successful call of the tool'),
  ...pageInfo,
})

export const lessonsRemoved = z.object({ removed: z.int() })
