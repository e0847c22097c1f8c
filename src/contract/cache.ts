import { z } from 'zod'
import { text } from './scalars.ts'

const seconds = z.number().min(0).max(604_800)

/** How results of a read-only tool are kept; null means that nothing is said here. */
export const cacheRule = z
  .strictObject({
    ttl_seconds: seconds.describe('0: never kept; absent: META_MCP_CACHE_TTL'),
    stale_while_revalidate_seconds: seconds.describe('So long after that still given, and got anew behind the answer'),
    stale_if_error_seconds: seconds.describe('So long after that kept for calls that fail'),
  })
  .partial()
  .nullable()
export type CacheRuleBody = z.infer<typeof cacheRule>

export const cacheQuery = z.strictObject({
  tag: text(512)
    .min(1)
    .optional()
    .describe('`server:NAME`, `tool:EXPOSED_NAME` or `namespace:NAME`; a name alone is any of them'),
  prefix: text(512).min(1).optional().describe('Of the exposed names of tools'),
})

export const cacheRemoved = z.object({ removed: z.int() })

/** Counts since the start; entries and bytes now. */
export const cacheStats = z.object({
  enabled: z.boolean(),
  hits: z.int().describe('Answered by a kept result'),
  stale_hits: z.int().describe('Of these by one that was being got anew'),
  shared: z.int().describe('Waited for what an equal call was getting already'),
  misses: z.int(),
  hit_rate: z.number().nullable().describe('Hits by hits and misses; null without either'),
  sets: z.int(),
  evictions: z.int().describe('Thrown out for lack of room'),
  removed: z.int().describe('Invalidated'),
  refresh_failures: z.int(),
  entries: z.int(),
  bytes: z.int(),
  bytes_max: z.int(),
  redis: z
    .object({
      up: z.boolean(),
      hits: z.int().describe('Found there, not in memory; part of the hits'),
      sets: z.int(),
      failures: z.int().describe('Asked in vain'),
    })
    .nullable()
    .describe('Null for a gateway that shares with none'),
})
