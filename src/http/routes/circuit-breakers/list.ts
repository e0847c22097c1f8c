import { breakerPage, breakerQuery } from '#contract/circuit-breaker'
import { breakerBody } from '../../breaker-shape.ts'
import { endpoint } from '../../endpoint.ts'
import { pageOf } from '../../page.ts'

export const listBreakers = endpoint({
  method: 'GET',
  path: '/api/v1/circuit-breakers',
  access: 'breakers:read',
  group: 'circuit-breakers',
  summary: 'The breakers of servers and HTTP tools, and how they stand',
  query: breakerQuery,
  status: 200,
  answer: breakerPage,

  handle({ breakers }, { query }) {
    const { items, info } = pageOf(breakers.list(), query)
    return { circuit_breakers: items.map(breakerBody), ...info }
  },
})
