import { breakerParams, circuitBreaker } from '#contract/circuit-breaker'
import { breakerBody } from '../../breaker-shape.ts'
import { endpoint } from '../../endpoint.ts'

export const resetBreaker = endpoint({
  method: 'POST',
  path: '/api/v1/circuit-breakers/:name/reset',
  access: 'breakers:reset',
  group: 'circuit-breakers',
  summary: 'Close what has this name, as if nothing had failed',
  params: breakerParams,
  status: 200,
  answer: circuitBreaker,

  handle: ({ breakers }, { params }) => breakerBody(breakers.reset(params.name)),
})
