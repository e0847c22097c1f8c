import { z } from 'zod'

/** What the root address answers: where everything is. */
export const welcome = z.object({
  name: z.string(),
  version: z.string(),
  links: z.record(z.string(), z.string()),
})

export const metricsText = z.string()

export const openApiDocument = z.looseObject({ openapi: z.string() })
