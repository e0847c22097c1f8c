import { z } from 'zod'
import { httpUrl, text } from './scalars.ts'

const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('file'), path: text(4096).min(1) }),
  z.strictObject({ kind: z.literal('registry'), url: httpUrl, search: text(256).optional() }),
  z.strictObject({
    kind: z.literal('network'),
    hosts: z.array(text(256).min(1)).min(1).max(256),
    ports: z.array(z.int().min(1).max(65_535)).min(1).max(64),
    path: text(1024).default('/mcp'),
  }),
])

/** Where to look; without a source at all that the configuration names. */
export const discoveryRequest = z.strictObject({ source: source.optional() })

export const discoveryAnswer = z.object({
  servers: z.array(
    z.object({
      name: z.string(),
      transport: z.string(),
      registered: z.boolean().describe('False when a server of this name was there already, or a rule refused it'),
      reason: z.string().nullable(),
    }),
  ),
  total: z.int(),
})
