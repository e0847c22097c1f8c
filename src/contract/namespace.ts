import { z } from 'zod'
import { cacheRule } from './cache.ts'
import { name, page, pageInfo, text, timestamp } from './scalars.ts'

const pattern = text(256).min(1)
const patterns = z.array(pattern).max(1000)
const expose = z.enum(['all', 'search', 'auto'])
const override = z.strictObject({ name: text(64).min(1), description: text(20_000) }).partial()

/** It stands in an address: `/mcp/{name}`. */
const namespaceName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"')

const members = {
  description: text(20_000),
  servers: z.array(name).max(1000).describe('Names of servers; absent means all'),
  tools: z
    .strictObject({ include: patterns, exclude: patterns })
    .partial()
    .describe('Patterns of tool names; * is any text'),
  expose,
  pinned: patterns.describe('Patterns of names as shown here: listed whatever `expose` says'),
  cache: cacheRule.describe('Of read-only tools of which neither the tool nor its server says anything else'),
  overrides: z.record(text(128), override).describe('By tool name: another name or description here'),
}

export const namespaceRegistration = z.strictObject({ ...z.strictObject(members).partial().shape, name: namespaceName })

/** PUT replaces the whole; what is absent has its default again. */
export const namespaceReplacement = z.strictObject({ ...members, name: namespaceName }).partial()
export type NamespaceReplacement = z.infer<typeof namespaceReplacement>

export const namespaceParams = z.object({ name: text(256) })
export const namespaceQuery = z.strictObject(page)

export const namespaceBody = z.object({
  namespace_id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  servers: z.array(z.string()).nullable(),
  tools: z.object({ include: z.array(z.string()), exclude: z.array(z.string()) }),
  expose,
  expose_now: z.enum(['all', 'search']).describe('What `expose` comes to at this moment'),
  pinned: z.array(z.string()),
  definition_tokens: z
    .object({ all: z.int(), exposed: z.int() })
    .describe('Of all definitions, and of those that tools/list gives: bytes of UTF-8 by 4, rounded up'),
  overrides: z.record(z.string(), z.object({ name: z.string().optional(), description: z.string().optional() })),
  cache: cacheRule,
  endpoint: z.string(),
  tool_count: z.int(),
  origin: z.enum(['file', 'api', 'discovery']),
  created_at: timestamp,
  updated_at: timestamp,
})
export type NamespaceBody = z.infer<typeof namespaceBody>

export const namespacePage = z.object({ namespaces: z.array(namespaceBody), ...pageInfo })
