import { z } from 'zod'

/** A JSON Web Key Set (RFC 7517). */
export const jwksAnswer = z.object({ keys: z.array(z.record(z.string(), z.unknown())) })
