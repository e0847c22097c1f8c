import { z } from 'zod'

/** What a rotation did. */
export const rotationAnswer = z.object({
  key_id: z.string().describe('What seals from now on; tells nothing about the key'),
  is_new: z.boolean().describe('Whether the key was made now; false where META_MCP_SECRET_KEY sets it'),
  resealed: z.int().describe('Records that were sealed anew'),
  locked: z.int().describe('Records that no key opens; they are left as they are'),
})
