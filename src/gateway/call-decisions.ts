import type { Principal } from '#identity/principal'
import { OwnedMap } from '#kernel/owned-map'
import type { Action } from '#policy/permission'
import type { Policy } from '#policy/policy'
import { toolFacts } from '#policy/tool-facts'
import type { CatalogView } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'
import type { Call, CallKind } from './call.ts'

/** What the policy says of a call, and by which rule. */
export interface CallDecision {
  readonly action: Action
  readonly allowed: boolean
  readonly rule: string
}

/** Tells for those who keep account of calls why one was allowed or not: also where its caller sees no difference to "absent". */
export type CallDecisions = (call: Pick<Call, 'principal' | 'kind' | 'name' | 'namespace'>) => CallDecision

const ACTIONS: Readonly<Record<CallKind, Action>> = {
  tool: 'tools:execute',
  prompt: 'prompts:use',
  resource: 'resources:use',
  completion: 'prompts:use',
}

/** Of one view and scope; resources may have any name. */
const NAMES_MAX = 5000

export function createCallDecisions(
  catalog: Pick<Catalog, 'view'>,
  policy: Pick<Policy, 'decide'>,
  scopeOf: (principal: Principal) => string,
): CallDecisions {
  const byView = new OwnedMap<CatalogView, Map<string, CallDecision>>()
  return function decisionOf(call) {
    const view = catalog.view(call.namespace)
    if (!view) return decide(policy, call, undefined)
    const scope = scopeOf(call.principal)
    const known = byView.get(view, scope) ?? byView.set(view, scope, new Map<string, CallDecision>())
    // Nearly all calls are of tools: their names need no kind before them.
    const key = call.kind === 'tool' ? call.name : `\n${call.kind} ${call.name}`
    const decided = known.get(key)
    if (decided) return decided
    if (known.size >= NAMES_MAX) known.clear()
    const decision = decide(policy, call, view)
    known.set(key, decision)
    return decision
  }
}

function decide(
  policy: Pick<Policy, 'decide'>,
  { principal, kind, name, namespace }: Parameters<CallDecisions>[0],
  view: CatalogView | undefined,
): CallDecision {
  const action = ACTIONS[kind]
  if (namespace !== undefined && principal.namespaces && !principal.namespaces.includes(namespace))
    return { action, allowed: false, rule: 'the credential is not good for this namespace' }
  const tool = kind === 'tool' ? view?.toolByName.get(name) : undefined
  const facts = tool ? toolFacts(tool, namespace) : { namespace }
  return { action, ...policy.decide(principal, action, tool?.catalogName ?? name, facts) }
}
