import { z } from 'zod'
import { timestamp } from './scalars.ts'

const healthStatus = z.enum(['healthy', 'unhealthy', 'draining'])
export type HealthStatus = z.infer<typeof healthStatus>

export const health = z.object({
  healthy: z.boolean(),
  status: healthStatus,
  version: z.string(),
  uptime: z.number().describe('Seconds'),
  timestamp,
})

export const liveness = z.object({ status: z.literal('alive') })
export const readiness = z.object({
  status: z
    .enum(['ready', 'degraded'])
    .describe('Degraded: it takes work, and something that it can do without is away'),
  reason: z.string().optional(),
})

const component = z.object({
  name: z.string(),
  kind: z.enum(['storage', 'disk', 'redis', 'queue', 'history', 'catalog', 'sessions', 'search', 'breakers', 'server']),
  healthy: z.boolean(),
  status: z.string(),
  message: z.string(),
})
export type HealthComponent = z.infer<typeof component>

export const detailedHealth = z.object({
  overall_healthy: z.boolean().describe('Every component is healthy'),
  uptime: z.number(),
  version: z.string(),
  timestamp,
  components: z.array(component),
})
