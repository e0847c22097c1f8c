import { z } from 'zod'
import { cacheRule } from './cache.ts'
import { endurance, headers, name, page, pageInfo, text, timeoutMs, timestamp } from './scalars.ts'

const argument = text(32_768)

const members = {
  command: text(4096).min(1),
  args: z.array(argument).max(1000),
  env: z.record(text(256).regex(/^[^=]+$/, 'is no name of a variable'), argument),
  cwd: text(4096).min(1),
  url: text(4096).refine(isServerUrl, 'must be an http, https, ws or wss URL'),
  headers,
  transport: z.enum(['auto', 'stdio', 'streamable-http', 'sse', 'websocket']),
  prefix: z.string().regex(/^[A-Za-z0-9_-]{0,40}$/, 'stands in tool names: at most 40 letters, digits, "_" or "-"'),
  era: z.enum(['auto', 'legacy', 'modern']),
  start: z.enum(['lazy', 'eager']),
  share: z.enum(['auto', 'always', 'never']),
  timeout_ms: timeoutMs,
  ...endurance,
  max_concurrency: z.int().min(1).max(10_000),
  enabled: z.boolean(),
  description: text(20_000),
  cache: cacheRule.describe('Of its read-only tools'),
}

/** An MCP server: `command` for one that the gateway starts, `url` for one that runs elsewhere. */
export const serverRegistration = z.strictObject({ ...z.strictObject(members).partial().shape, name })
export type ServerRegistration = z.infer<typeof serverRegistration>

/** The members to replace. `"***"` in `env` and `headers` keeps a value while the server stays where it is. */
export const serverChange = z.strictObject({ ...members, name }).partial()
export type ServerChange = z.infer<typeof serverChange>

/** A server is addressed by its id or name. */
export const serverParams = z.object({ id: text(256) })

export const serverQuery = z.strictObject(page)

export const server = z.object({
  server_id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  transport: z.string(),
  era: z.string().describe('What the server speaks; auto while nobody knows'),
  protocol_version: z.string().nullable(),
  status: z.enum(['connecting', 'online', 'degraded', 'offline', 'disabled']),
  status_reason: z.string(),
  last_error: z.string().nullable(),
  next_retry_at: timestamp.nullable(),
  connected_at: timestamp.nullable(),
  sessions: z.int(),
  tool_count: z.int(),
  prefix: z.string(),
  start: z.string(),
  share: z.string(),
  timeout_ms: z.int(),
  ...endurance,
  max_concurrency: z.int(),
  enabled: z.boolean(),
  cache: cacheRule,
  origin: z.enum(['file', 'api', 'discovery']),
  created_at: timestamp,
  updated_at: timestamp,
})
export type Server = z.infer<typeof server>

/** One server in full; values that may be secret read `***`. */
export const serverDetails = server.extend({
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  cwd: z.string().optional(),
  url: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  pids: z.array(z.int()),
  tools: z.array(z.object({ name: z.string(), original_name: z.string(), description: z.string() })),
})
export type ServerDetails = z.infer<typeof serverDetails>

export const serverPage = z.object({ servers: z.array(server), ...pageInfo })

/** What the server printed or the gateway noted about it, oldest first; `offset` counts from the newest. */
export const serverLogs = z.object({
  server_id: z.string(),
  lines: z.array(
    z.object({ at: timestamp, source: z.enum(['stderr', 'stdout', 'server', 'gateway']), text: z.string() }),
  ),
  ...pageInfo,
})

function isServerUrl(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && ['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)
}
