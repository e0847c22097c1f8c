import { z } from 'zod'
import { cacheRule } from './cache.ts'
import {
  endurance,
  headers,
  httpUrl,
  jsonObject,
  name,
  objectSchema,
  page,
  pageInfo,
  tags,
  text,
  timeoutMs,
  timestamp,
} from './scalars.ts'

/** `tools/search` is the search. */
const toolName = name.refine((value) => value !== 'search', 'is the name of the search')
const description = text(20_000)
const securityLevel = z.int().min(0).max(10)
const httpMethod = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])

/** What PUT changes; of a tool of an MCP server only how it is shown and how its calls fare. */
const changeable = {
  name: toolName,
  description,
  enabled: z.boolean(),
  category: text(128),
  tags,
  security_level: securityLevel,
  metadata: jsonObject,
  cache: cacheRule,
  read_only: z.boolean().describe('Whether calling it changes nothing, whatever its annotations say'),
  endpoint: httpUrl,
  method: httpMethod,
  headers,
  mapping: z
    .record(text(128), z.enum(['path', 'query', 'header', 'body']))
    .describe('Where arguments go; the others go into their {place}, else into the query or the body'),
  input_schema: objectSchema,
  output_schema: objectSchema,
  annotations: jsonObject,
  capabilities: tags,
  version: text(128),
  timeout_ms: timeoutMs,
  ...endurance,
  fallback: text(128)
    .min(1)
    .nullable()
    .describe('Name for MCP clients of the tool that is called when this one cannot'),
}

/** A plain HTTP API to be offered as a tool. `endpoint` may hold `{argument}` places in path and query. */
export const toolRegistration = z.strictObject({
  ...z.strictObject(changeable).partial().shape,
  name: toolName,
  description,
  endpoint: httpUrl,
})
export type ToolRegistration = z.infer<typeof toolRegistration>

export const toolRegistered = z.object({ tool_id: z.string(), message: z.string() })

/** The members to replace; those that are absent stay. A header `"***"` keeps its value. */
export const toolChange = z.strictObject(changeable).partial()
export type ToolChange = z.infer<typeof toolChange>

/** A tool is addressed by its name or id, percent-encoded. */
export const toolParams = z.object({ name: text(512) })

export const toolQuery = z.strictObject({
  server: text(128).optional(),
  category: text(128).optional(),
  tag: text(128).optional(),
  namespace: text(128).optional(),
  q: text(256).optional().describe('Words that name or description hold'),
  ...page,
})
export type ToolQuery = z.infer<typeof toolQuery>

export const tool = z.object({
  id: z.string(),
  name: z.string(),
  exposed_name: z.string().describe('Name for MCP clients'),
  original_name: z.string(),
  server: z.string(),
  kind: z.enum(['mcp', 'http']),
  description: z.string(),
  input_schema: z.unknown(),
  output_schema: z.unknown(),
  annotations: z.unknown(),
  category: z.string().nullable(),
  tags: z.array(z.string()),
  capabilities: z.array(z.string()),
  security_level: z.int(),
  version: z.string().nullable(),
  enabled: z.boolean(),
  metadata: z.unknown(),
  timeout_ms: z.int(),
  ...endurance,
  fallback: z.string().nullable(),
  read_only: z.boolean().describe('By annotation, or because an operator says so'),
  cache: cacheRule.describe('What applies: its own, or that of its server'),
  created_at: timestamp,
  updated_at: timestamp,
})
export type Tool = z.infer<typeof tool>

/** One tool in full: of an HTTP tool also where it leads, its header values masked. */
export const toolDetails = tool.extend({
  endpoint: z.string().optional(),
  method: httpMethod.optional(),
  headers: z.record(z.string(), z.string()).optional(),
  mapping: z.record(z.string(), z.string()).optional(),
})
export type ToolDetails = z.infer<typeof toolDetails>

export const toolPage = z.object({ tools: z.array(tool), ...pageInfo })
