import { z } from 'zod'
import { page, pageInfo, timeInput, timestamp } from './scalars.ts'

const searchType = z.enum(['keyword', 'semantic', 'hybrid'])

export const searchHistoryQuery = z.strictObject({
  search_type: searchType.optional(),
  from: timeInput.optional().describe('Started at or after'),
  to: timeInput.optional().describe('Started before'),
  ...page,
})
export type SearchHistoryQuery = z.infer<typeof searchHistoryQuery>

const pastSearch = z.object({
  search_id: z.string(),
  principal: z.string(),
  query: z.string(),
  search_type: searchType,
  namespace: z.string().nullable(),
  surface: z.enum(['rest', 'mcp']),
  found: z.int().describe('How many tools were shown'),
  total: z.int().describe('How many fit'),
  cached: z.boolean(),
  started_at: timestamp,
  duration_ms: z.number(),
})
export type PastSearch = z.infer<typeof pastSearch>

export const searchHistoryPage = z.object({ searches: z.array(pastSearch), ...pageInfo })

export const searchStatsQuery = z.strictObject({
  from: timeInput.optional().describe('Of searches that started at or after'),
})

/** Durations in milliseconds, null without searches. */
const typeStats = z.object({
  count: z.int(),
  cached: z.int(),
  average_ms: z.number().nullable(),
  p50_ms: z.number().nullable(),
  p95_ms: z.number().nullable(),
  p99_ms: z.number().nullable(),
})
export type TypeStats = z.infer<typeof typeStats>

export const searchStats = z.object({
  total: z.int(),
  by_type: z.object({ keyword: typeStats, semantic: typeStats, hybrid: typeStats }),
  cache: z.object({ hits: z.int(), misses: z.int(), hit_rate: z.number().nullable().describe('0 to 1') }),
  never_found: z
    .array(z.object({ query: z.string(), count: z.int(), last_searched_at: timestamp }))
    .describe('What was looked for in vain, the most frequent first; in lower case'),
})
export type SearchStatsBody = z.infer<typeof searchStats>
