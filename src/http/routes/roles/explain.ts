import { explainAnswer, explainRequest } from '#contract/role'
import { ValidationError } from '#kernel/errors'
import { isAction } from '#policy/permission'
import { endpoint } from '../../endpoint.ts'

export const explainPolicy = endpoint({
  method: 'POST',
  path: '/api/v1/policy/explain',
  access: 'roles:read',
  group: 'roles',
  summary: 'Why somebody with these roles may or may not',
  body: explainRequest,
  status: 200,
  answer: explainAnswer,

  handle({ policy }, { body: { principal, action, resource } }) {
    if (!isAction(action)) throw new ValidationError(`There is no action ${JSON.stringify(action)}`)
    const { allowed, rule } = policy.decide({ roles: principal.roles }, action, resource)
    const about = resource === undefined ? '' : ` of ${resource}`
    return { allowed, rule, reason: `${action}${about} is ${allowed ? 'allowed' : 'not allowed'}: ${rule}` }
  },
})
