import { liveness } from '#contract/health'
import { endpoint } from '../../endpoint.ts'

export const getLiveness = endpoint({
  method: 'GET',
  path: '/api/v1/health/live',
  access: 'public',
  group: 'health',
  summary: 'The process runs',
  status: 200,
  answer: liveness,

  handle: () => ({ status: 'alive' as const }),
})
