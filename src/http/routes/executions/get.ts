import { execution, executionParams } from '#contract/execution'
import { AppError } from '#kernel/errors'
import { endpoint } from '../../endpoint.ts'
import { executionBody } from '../../execution-shape.ts'

export const getExecution = endpoint({
  method: 'GET',
  path: '/api/v1/executions/:id',
  access: 'executions:read',
  group: 'executions',
  summary: 'One call of the history',
  params: executionParams,
  status: 200,
  answer: execution,

  async handle({ executions }, { params }) {
    const found = await executions.get(params.id)
    if (!found) throw new AppError('not_found', `Unknown execution: ${params.id}`, { details: { id: params.id } })
    return executionBody(found)
  },
})
