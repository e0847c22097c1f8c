import { z } from 'zod'
import { page, pageInfo, text, timestamp } from './scalars.ts'

const roleName = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9, "_" and "-", a letter first')
const permissionText = text(256).min(1)
const patterns = z.array(text(256).min(1)).min(1).max(100)
const level = z.int().min(0).max(10)

/** All members must be met; of the patterns in a list one is enough. */
const condition = z
  .strictObject({
    servers: patterns,
    namespaces: patterns.describe('Of the endpoint /mcp/{namespace} that shows it'),
    categories: patterns,
    tags: patterns,
    max_security_level: level,
    min_security_level: level,
    read_only: z.boolean(),
    destructive: z.boolean(),
  })
  .partial()
  .refine((members) => Object.keys(members).length > 0, 'must name a condition')
export type ConditionBody = z.infer<typeof condition>

const permission = z.union([permissionText, z.strictObject({ permission: permissionText, when: condition })])
export type PermissionBody = z.infer<typeof permission>

const permissions = z
  .array(permission)
  .max(1000)
  .describe(
    '`resource:action` or `resource:action:pattern`; `*` is any run of characters. With `when` under a condition',
  )

const members = {
  description: text(2000).optional(),
  permissions: permissions.default([]),
  deny: permissions.default([]).describe('Wins over what any role allows'),
}

export const roleRegistration = z.strictObject({ name: roleName, ...members })
export const roleReplacement = z.strictObject(members)
export const roleParams = z.object({ name: text(256) })
export const roleQuery = z.strictObject(page)

export const roleBody = z.object({
  name: z.string(),
  description: z.string().nullable(),
  permissions: z.array(permission),
  deny: z.array(permission),
  built_in: z.boolean(),
  created_at: timestamp.nullable(),
  updated_at: timestamp.nullable(),
})
export type RoleBody = z.infer<typeof roleBody>

export const rolePage = z.object({ roles: z.array(roleBody), ...pageInfo })

const explainContext = z
  .strictObject({
    server: text(256),
    namespace: text(256),
    category: text(128),
    tags: z.array(text(128)).max(100),
    security_level: level,
    read_only: z.boolean(),
    destructive: z.boolean(),
  })
  .partial()
export type ExplainContext = z.infer<typeof explainContext>

/** Somebody who may not exist: by roles, and by what a credential would be good for. */
const imagined = z.strictObject({
  roles: z.array(text(64)).max(100),
  permissions: z.array(text(256)).max(100).optional().describe('Those of an API key'),
  namespaces: z.array(text(256)).max(100).optional(),
})
const explained = z.union([
  imagined,
  z.strictObject({ user: text(256).min(1).describe('Name or id; needs users:read, too') }),
  z.strictObject({ api_key: text(256).min(1).describe('Its id; needs users:read, too') }),
])
export type ExplainedPrincipal = z.infer<typeof explained>

export const explainRequest = z.strictObject({
  principal: explained,
  action: text(64).describe('`tools:execute`'),
  resource: text(256).optional().describe('Exposed name or URI; absent asks whether there is any'),
  context: explainContext.optional().describe('What conditions ask for; absent that of the tool of this name'),
})

export const explainAnswer = z.object({ allowed: z.boolean(), rule: z.string(), reason: z.string() })
