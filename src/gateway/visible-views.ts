import type { Principal } from '#identity/principal'
import type { Policy } from '#policy/policy'
import type { CatalogView } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'

/** What a principal sees of the catalog: lists, calls and searches know nothing else, so that denied looks like absent. */
export interface VisibleViews {
  /** Undefined for a namespace that does not exist. */
  view(principal: Principal, namespace?: string): CatalogView | undefined
  /** Whether a resource may be used, listed or not. */
  mayUseResource(principal: Principal, uri: string): boolean
}

export function createVisibleViews(catalog: Catalog, policy: Policy): VisibleViews {
  const byView = new WeakMap<CatalogView, Map<string, CatalogView>>()
  let scopes = new WeakMap<Principal, string>()
  let revision = policy.revision()
  const scopeOf = (principal: Principal): string => {
    if (revision !== policy.revision()) {
      revision = policy.revision()
      scopes = new WeakMap()
    }
    const known = scopes.get(principal) ?? policy.scopeOf(principal)
    scopes.set(principal, known)
    return known
  }
  return {
    view(principal, namespace) {
      const whole = catalog.view(namespace)
      if (!whole) return undefined
      const scope = scopeOf(principal)
      const known = byView.get(whole)?.get(scope)
      if (known) return known
      const made = visiblePart(whole, policy, principal)
      byView.set(whole, (byView.get(whole) ?? new Map<string, CatalogView>()).set(scope, made))
      return made
    },
    mayUseResource: (principal, uri) => policy.decide(principal, 'resources:use', uri).allowed,
  }
}

/** The same view where everything may be used. */
function visiblePart(whole: CatalogView, policy: Policy, principal: Principal): CatalogView {
  const may = (action: 'tools:execute' | 'prompts:use' | 'resources:use') => (name: string) =>
    policy.decide(principal, action, name).allowed
  const tools = whole.tools.filter(({ exposedName }) => may('tools:execute')(exposedName))
  const prompts = whole.prompts.filter(({ key }) => may('prompts:use')(key))
  const resources = whole.resources.filter(({ key }) => may('resources:use')(key))
  const templates = whole.templates.filter(({ key }) => may('resources:use')(key))
  const parts = [tools, prompts, resources, templates]
  const wholes = [whole.tools, whole.prompts, whole.resources, whole.templates]
  if (parts.every((part, index) => part.length === wholes[index]?.length)) return whole
  // What a server says of itself is told to those who may use something of it.
  const owners = new Set(parts.flat().map(({ upstreamId }) => upstreamId))
  return {
    ...whole,
    tools,
    toolByName: new Map(tools.map((tool) => [tool.exposedName, tool])),
    prompts,
    promptByName: new Map(prompts.map((prompt) => [prompt.key, prompt])),
    resources,
    resourceByUri: new Map(resources.map((resource) => [resource.key, resource])),
    templates,
    upstreams: whole.upstreams.filter(({ upstreamId }) => owners.has(upstreamId)),
  }
}
