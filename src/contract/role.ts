import { z } from 'zod'
import { page, pageInfo, text, timestamp } from './scalars.ts'

const roleName = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9, "_" and "-", a letter first')
const permissions = z
  .array(text(256).min(1))
  .max(1000)
  .describe('`resource:action` or `resource:action:pattern`; `*` is any run of characters')

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
  permissions: z.array(z.string()),
  deny: z.array(z.string()),
  built_in: z.boolean(),
  created_at: timestamp.nullable(),
  updated_at: timestamp.nullable(),
})
export type RoleBody = z.infer<typeof roleBody>

export const rolePage = z.object({ roles: z.array(roleBody), ...pageInfo })

/** `principal` is asked for by its roles. */
export const explainRequest = z.strictObject({
  principal: z.strictObject({ roles: z.array(text(64)).max(100) }),
  action: text(64).describe('`tools:execute`'),
  resource: text(256).optional().describe('Exposed name or URI; absent asks whether there is any'),
})

export const explainAnswer = z.object({ allowed: z.boolean(), rule: z.string(), reason: z.string() })
