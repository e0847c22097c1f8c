import { executionPage, executionQuery } from '#contract/execution'
import { endpoint } from '../../endpoint.ts'
import { executionBody, executionFilter } from '../../execution-shape.ts'

export const listExecutions = endpoint({
  method: 'GET',
  path: '/api/v1/executions',
  access: 'executions:read',
  group: 'executions',
  summary: 'History of calls, failures included, newest first',
  query: executionQuery,
  status: 200,
  answer: executionPage,

  async handle({ registry, executions }, { query }) {
    const { executions: found, total } = await executions.list(executionFilter(registry, query))
    return { executions: found.map(executionBody), total, limit: query.limit, offset: query.offset }
  },
})
