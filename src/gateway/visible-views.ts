import type { Principal } from '#identity/principal'
import { OwnedMap } from '#kernel/owned-map'
import type { Facts } from '#policy/condition'
import type { Action } from '#policy/permission'
import type { Policy } from '#policy/policy'
import { toolFacts } from '#policy/tool-facts'
import type { CatalogEntry, CatalogTool, CatalogView } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'

/** What a principal sees of the catalog: lists, calls and searches know nothing else, so that denied looks like absent. */
export interface VisibleViews {
  /** Undefined for a namespace that does not exist, or not for this credential. */
  view(principal: Principal, namespace?: string): CatalogView | undefined
  /** Whether a resource may be used at an endpoint, listed or not; `server` is the one that would be asked for it. */
  mayUseResource(principal: Principal, uri: string, place: Pick<Facts, 'server' | 'namespace'>): boolean
  /** Whether a tool may be read and found, also one that is disabled. */
  mayRead(principal: Principal, tool: CatalogTool, namespace?: string): boolean
  /** Whether all of them may: then nobody needs to ask about each. */
  mayReadAll(principal: Principal, namespace?: string): boolean
  /** Principals with one scope see the same. */
  scopeOf(principal: Principal): string
  /** Told when the rules changed by which things are hidden; answers how to hear no more. */
  onRules(told: () => void): () => void
}

export function createVisibleViews(catalog: Catalog, policy: Policy): VisibleViews {
  const byView = new OwnedMap<CatalogView, CatalogView>()
  const published = createPublished(catalog)
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
    scopeOf,
    onRules: policy.onChange,
    view(principal, namespace) {
      const whole = catalog.view(namespace)
      if (!whole || !mayEnter(principal, namespace)) return undefined
      const scope = scopeOf(principal)
      const known = byView.get(whole, scope)
      if (known) return known
      const made = visiblePart(whole, sightOf(policy, principal, namespace), published.of(principal, namespace))
      return byView.set(whole, scope, made)
    },
    mayUseResource: (principal, uri, place) => policy.decide(principal, 'resources:use', uri, place).allowed,
    mayReadAll: (principal, namespace) =>
      mayEnter(principal, namespace) &&
      published.of(principal, namespace) === ALL &&
      policy.allowsAll(principal, 'tools:read'),
    mayRead(principal, tool, namespace) {
      if (!mayEnter(principal, namespace) || !published.of(principal, namespace).tool(tool)) return false
      return policy.decide(principal, 'tools:read', tool.catalogName, toolFacts(tool, namespace)).allowed
    },
  }
}

function mayEnter({ namespaces }: Principal, namespace: string | undefined): boolean {
  return namespace === undefined || !namespaces || namespaces.includes(namespace)
}

/** What a credential that is only good for some namespaces is shown where all of them meet: what one of them shows. */
interface Published {
  tool(tool: CatalogTool): boolean
  entry(entry: CatalogEntry): boolean
}

const ALL: Published = { tool: () => true, entry: () => true }

function createPublished(catalog: Catalog) {
  const byWhole = new OwnedMap<CatalogView, Published>()
  const make = (namespaces: readonly string[]): Published => {
    const views = namespaces.flatMap((each) => catalog.view(each) ?? [])
    const tools = new Set(views.flatMap((view) => view.tools.map(({ id }) => id)))
    const entries = new Set(
      views.flatMap(({ prompts, resources, templates }) => [...prompts, ...resources, ...templates]),
    )
    return { tool: ({ id }) => tools.has(id), entry: (each) => entries.has(each) }
  }
  return {
    of({ namespaces }: Principal, namespace: string | undefined): Published {
      const whole = catalog.view()
      if (namespace !== undefined || !namespaces || !whole) return ALL
      const key = JSON.stringify(namespaces)
      return byWhole.get(whole, key) ?? byWhole.set(whole, key, make(namespaces))
    },
  }
}

/** What one principal may use at one endpoint. */
interface Sight {
  readonly tool: (tool: CatalogTool) => boolean
  readonly entry: (action: Action) => (entry: CatalogEntry) => boolean
}

function sightOf(policy: Policy, principal: Principal, namespace: string | undefined): Sight {
  const hasAllTools = policy.allowsAll(principal, 'tools:execute')
  return {
    tool: (tool) =>
      hasAllTools || policy.decide(principal, 'tools:execute', tool.catalogName, toolFacts(tool, namespace)).allowed,
    entry:
      (action) =>
      ({ key, server }) =>
        policy.decide(principal, action, key, { server, namespace }).allowed,
  }
}

/** The same view where everything may be used. */
function visiblePart(whole: CatalogView, sight: Sight, published: Published): CatalogView {
  const may = (action: Action) => (entry: CatalogEntry) => published.entry(entry) && sight.entry(action)(entry)
  const tools = whole.tools.filter((tool) => published.tool(tool) && sight.tool(tool))
  const prompts = whole.prompts.filter(may('prompts:use'))
  const resources = whole.resources.filter(may('resources:use'))
  const templates = whole.templates.filter(may('resources:use'))
  const parts = [tools, prompts, resources, templates]
  const wholes = [whole.tools, whole.prompts, whole.resources, whole.templates]
  if (parts.every((part, index) => part.length === wholes[index]?.length)) return whole
  // What a server says of itself is told to those who may use something of it.
  const owners = new Set(parts.flat().map(({ upstreamId }) => upstreamId))
  const shown = new Set(tools)
  return {
    ...whole,
    tools,
    pinned: whole.pinned.filter((tool) => shown.has(tool)),
    toolByName: new Map(tools.map((tool) => [tool.exposedName, tool])),
    prompts,
    promptByName: new Map(prompts.map((prompt) => [prompt.key, prompt])),
    resources,
    resourceByUri: new Map(resources.map((resource) => [resource.key, resource])),
    templates,
    upstreams: whole.upstreams.filter(({ upstreamId }) => owners.has(upstreamId)),
  }
}
