import { explainAnswer, explainRequest, type ExplainContext } from '#contract/role'
import { ValidationError } from '#kernel/errors'
import type { Facts } from '#policy/condition'
import { isAction } from '#policy/permission'
import { toolFacts } from '#policy/tool-facts'
import type { CatalogTool } from '#registry/catalog-view'
import type { Registry } from '#registry/registry-api'
import { defined } from '../../defined.ts'
import { explainedCaller, type ExplainedCaller } from '../../explained-caller.ts'
import { endpoint } from '../../endpoint.ts'
import { findTool } from '../../find-tool.ts'

export const explainPolicy = endpoint({
  method: 'POST',
  path: '/api/v1/policy/explain',
  access: 'roles:read',
  group: 'roles',
  summary: 'Why a user, an API key, or somebody with these roles may or may not',
  body: explainRequest,
  status: 200,
  answer: explainAnswer,

  async handle(api, { principal: asking, body: { principal, action, resource, context } }) {
    const { policy, registry } = api
    if (!isAction(action)) throw new ValidationError(`There is no action ${JSON.stringify(action)}`)
    const { caller, obstacle } = await explainedCaller(api, asking, principal)
    const tool = resource === undefined ? undefined : findTool(registry, resource)
    const facts = context ? factsOf(context) : tool && toolFacts(tool)
    const reason = obstacle ?? outOfSight(caller, { registry, tool, namespace: context?.namespace })
    const { allowed, rule } =
      reason === undefined ? policy.decide(caller, action, resource, facts) : { allowed: false, rule: reason }
    const about = resource === undefined ? '' : ` of ${resource}`
    return { allowed, rule, reason: `${action}${about} is ${allowed ? 'allowed' : 'not allowed'}: ${rule}` }
  },
})

function factsOf({ security_level: securityLevel, read_only: readOnly, ...rest }: ExplainContext): Facts {
  return defined({ ...rest, securityLevel, readOnly })
}

interface Sought {
  readonly registry: Registry
  readonly tool: CatalogTool | undefined
  readonly namespace: string | undefined
}

/** Why a credential that is only good for some namespaces does not see it, whatever the roles say. */
function outOfSight({ namespaces }: ExplainedCaller['caller'], { registry, tool, namespace }: Sought) {
  if (!namespaces) return undefined
  if (namespace !== undefined && !namespaces.includes(namespace)) return `it is not good for the namespace ${namespace}`
  const isShown = (each: string): boolean =>
    registry.catalog.view(each)?.tools.some(({ id }) => id === tool?.id) ?? false
  return tool && !namespaces.some(isShown) ? 'none of its namespaces shows this tool' : undefined
}
