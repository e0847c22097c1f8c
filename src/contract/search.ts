import { z } from 'zod'
import { text, timestamp } from './scalars.ts'
import { tool } from './tool.ts'

/** A task in a few sentences; more would be no search. */
const QUERY_CHARS_MAX = 10_000

const query = text(QUERY_CHARS_MAX).refine((value) => value.trim() !== '', 'is empty')
const filters = {
  search_type: z.enum(['keyword', 'semantic', 'hybrid']).default('hybrid'),
  namespace: text(128).optional(),
  server: text(128).optional(),
  category: text(128).optional(),
  tag: text(128).optional(),
}

/** In a URL everything is text. */
export const searchQuery = z.strictObject({
  q: query,
  max_results: z.coerce.number().int().min(1).max(100).default(10),
  similarity_threshold: z.coerce.number().min(0).max(1).default(0),
  ...filters,
  read_only: z.stringbool().optional(),
})

export const searchRequest = z.strictObject({
  query,
  max_results: z.int().min(1).max(100).default(10),
  similarity_threshold: z.number().min(0).max(1).default(0).describe('Share of the best score'),
  ...filters,
  read_only: z.boolean().optional().describe('Tools that say that they change nothing'),
})
export type SearchRequest = z.infer<typeof searchRequest>

const score = z.number().min(0).max(1)

/**
 * `score` is `weights.keyword · keyword_score + weights.semantic · semantic_score`; an exact name has 1. Where `parts` has
 * `rerank`, `score` is `rerank_score`, and of a tool without one the sum times the lowest `rerank_score` of the search.
 */
const foundTool = tool.extend({
  score,
  semantic_score: score,
  keyword_score: score,
  rerank_score: score.nullable().describe('What the reranker says; null for a tool that it was not asked about'),
})

export const searchAnswer = z.object({
  search_id: z.string(),
  query: z.string(),
  search_type: z.enum(['keyword', 'semantic', 'hybrid']),
  results: z.array(foundTool),
  tools: z.array(tool),
  total: z.int().describe('How many fit, those beyond max_results included'),
  weights: z.object({ keyword: score, semantic: score }).describe('Of the two scores in `score`'),
  parts: z
    .array(z.enum(['keyword', 'static', 'neural', 'remote', 'rerank']))
    .describe('The tiers that had their say; remote and rerank are the providers of META_MCP_SEARCH_*_URL'),
  nearest_servers: z.array(z.string()).describe('Where no tool fits: the servers that come nearest'),
  vectors: z
    .object({ model: z.string(), known: z.int(), wanted: z.int(), failure: z.string().nullable() })
    .nullable()
    .describe('How many of all tools the model knows; null without one'),
  cached: z.boolean(),
  search_time: z.number().describe('Seconds'),
  timestamp,
})
export type SearchAnswer = z.infer<typeof searchAnswer>
