import { health as healthBody, type HealthStatus } from '#contract/health'
import { endpoint } from '../../endpoint.ts'
import { isoTime } from '../../page.ts'
import { storageWorks } from '../../storage-check.ts'

export const getHealth = endpoint({
  method: 'GET',
  path: '/api/v1/health',
  access: 'public',
  group: 'health',
  summary: 'Whether the gateway works; answers 200 either way',
  status: 200,
  answer: healthBody,

  async handle({ health, now }) {
    const isWorking = await storageWorks(health)
    return {
      healthy: isWorking && !health.isDraining(),
      status: statusOf(isWorking, health.isDraining()),
      version: health.version,
      uptime: (now() - health.startedAt) / 1000,
      timestamp: isoTime(now()),
    }
  },
})

function statusOf(isWorking: boolean, isDraining: boolean): HealthStatus {
  if (isDraining) return 'draining'
  return isWorking ? 'healthy' : 'unhealthy'
}
