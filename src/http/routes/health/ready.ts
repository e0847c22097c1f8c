import { readiness } from '#contract/health'
import { AppError } from '#kernel/errors'
import { endpoint } from '../../endpoint.ts'
import { storageWorks } from '../../storage-check.ts'

export const getReadiness = endpoint({
  method: 'GET',
  path: '/api/v1/health/ready',
  access: 'public',
  group: 'health',
  summary: 'The gateway takes work; 503 while it drains or its storage is down or full',
  status: 200,
  answer: readiness,

  async handle({ health }) {
    if (health.isDraining()) throw new AppError('unavailable', 'The gateway is draining')
    if (!(await storageWorks(health))) throw new AppError('unavailable', 'The storage is down or full')
    return health.redisIsUp?.() === false
      ? { status: 'degraded' as const, reason: 'Redis is away: limits, caches and news are local until it is back' }
      : { status: 'ready' as const }
  },
})
