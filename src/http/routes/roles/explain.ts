import { explainAnswer, explainRequest, type ExplainContext } from '#contract/role'
import { ValidationError } from '#kernel/errors'
import type { Facts } from '#policy/condition'
import { isAction } from '#policy/permission'
import { toolFacts } from '#policy/tool-facts'
import type { Registry } from '#registry/registry-api'
import { defined } from '../../defined.ts'
import { endpoint } from '../../endpoint.ts'
import { findTool } from '../../find-tool.ts'

export const explainPolicy = endpoint({
  method: 'POST',
  path: '/api/v1/policy/explain',
  access: 'roles:read',
  group: 'roles',
  summary: 'Why somebody with these roles may or may not',
  body: explainRequest,
  status: 200,
  answer: explainAnswer,

  handle({ policy, registry }, { body: { principal, action, resource, context } }) {
    if (!isAction(action)) throw new ValidationError(`There is no action ${JSON.stringify(action)}`)
    const { allowed, rule } = policy.decide(
      { roles: principal.roles, ...defined({ permissions: principal.permissions, namespaces: principal.namespaces }) },
      action,
      resource,
      context ? factsOf(context) : knownFacts(registry, resource),
    )
    const about = resource === undefined ? '' : ` of ${resource}`
    return { allowed, rule, reason: `${action}${about} is ${allowed ? 'allowed' : 'not allowed'}: ${rule}` }
  },
})

function factsOf({ security_level: securityLevel, read_only: readOnly, ...rest }: ExplainContext): Facts {
  return defined({ ...rest, securityLevel, readOnly })
}

/** Of the tool that has the name; of anything else nothing. */
function knownFacts(registry: Registry, name: string | undefined): Facts | undefined {
  const tool = name === undefined ? undefined : findTool(registry, name)
  return tool && toolFacts(tool)
}
