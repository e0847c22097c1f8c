import { executionDetails, executionParams } from '#contract/execution'
import type { Execution } from '#gateway/executions'
import { isNarrowed, type Principal } from '#identity/principal'
import { AppError } from '#kernel/errors'
import { endpoint, type ApiContext } from '../../endpoint.ts'
import { executionDetailsBody } from '../../execution-shape.ts'

export const getExecution = endpoint({
  method: 'GET',
  path: '/api/v1/executions/:id',
  access: 'executions:read',
  group: 'executions',
  summary: 'One call of the history',
  params: executionParams,
  status: 200,
  answer: executionDetails,

  async handle(context, { params, principal }) {
    const found = await context.executions.get(params.id)
    if (!found) throw new AppError('not_found', `Unknown execution: ${params.id}`, { details: { id: params.id } })
    return executionDetailsBody(found, maySeePayloads(context, principal, found))
  },
})

/** What it carried belongs to who called, not to each of its keys and clients; others need what auditors have. */
function maySeePayloads({ policy }: ApiContext, principal: Principal, call: Execution): boolean {
  const isOwn = call.principal === principal.id && !isNarrowed(principal)
  return isOwn || policy.decide(principal, 'audit:read').allowed
}
