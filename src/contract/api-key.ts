import { z } from 'zod'
import { page, pageInfo, text, timeInput, timestamp } from './scalars.ts'

const texts = z.array(text(256).min(1)).max(100)

/** A narrowing that is absent is none: the key is good for all that its owner may. */
export const apiKeyRegistration = z.strictObject({
  name: text(100).min(1),
  owner: text(256).optional().describe('User name; for another than yourself you need users:update'),
  permissions: texts.optional(),
  namespaces: texts.optional(),
  addresses: texts.optional().describe('Addresses and CIDR ranges from which it is accepted'),
  expires_at: timeInput.optional(),
})

export const apiKeyParams = z.object({ id: text(256) })
export const apiKeyQuery = z.strictObject({
  ...page,
  owner: text(256).optional().describe('User name; for another than yourself you need users:read'),
})

const apiKeyBody = z.object({
  key_id: z.string(),
  name: z.string(),
  prefix: z.string().describe('The beginning of the key'),
  owner: z.string().nullable().describe('User name'),
  permissions: z.array(z.string()).nullable(),
  namespaces: z.array(z.string()).nullable(),
  addresses: z.array(z.string()).nullable(),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable(),
  revoked: z.boolean(),
})
export type ApiKeyBody = z.infer<typeof apiKeyBody>

export const apiKeyMade = apiKeyBody.extend({ key: z.string().describe('Shown once') })
export const apiKeyPage = z.object({ api_keys: z.array(apiKeyBody), ...pageInfo })
