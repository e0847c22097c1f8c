import { z } from 'zod'

/** How much the gateway logs. */
export const logLevelBody = z.strictObject({ level: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR']) })
