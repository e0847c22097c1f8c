import type { Principal } from '#identity/principal'
import { objectAt } from '#kernel/json'
import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import type { PreparedScope } from './keyword-index.ts'

/** Which of the tools that the caller may find are asked for; what is left away does not matter. */
export interface ToolFilter {
  readonly server?: string | undefined
  readonly category?: string | undefined
  readonly tag?: string | undefined
  /** By the tool's own word. */
  readonly readOnly?: boolean | undefined
}

/** The tools that may be found, in the order of the places. */
export interface ToolScope {
  readonly tools: readonly CatalogTool[]
  readonly prepared: PreparedScope
}

interface Asked {
  readonly principal: Principal
  readonly filter?: ToolFilter
}

/** Who may find what, as the policy says. */
export interface FindRules {
  mayRead(principal: Principal, tool: CatalogTool, namespace?: string): boolean
  /** Principals with one scope may find the same. */
  scopeOf(principal: Principal): string
}

/** Makes and remembers scopes: what the policy denies and what the filter leaves out is gone before anything is scored. */
export function createScopes(views: FindRules, prepare: (tools: readonly CatalogTool[]) => PreparedScope) {
  let byView = new WeakMap<CatalogView, Map<string, ToolScope>>()
  const allowed = (view: CatalogView, principal: Principal): readonly CatalogTool[] =>
    view.tools.filter((tool) => views.mayRead(principal, tool, view.namespace))
  const scopeOf = (tools: readonly CatalogTool[]): ToolScope => ({ tools, prepared: prepare(tools) })
  const unfiltered = (view: CatalogView, principal: Principal): ToolScope => {
    const key = views.scopeOf(principal)
    const scope = byView.get(view)?.get(key) ?? scopeOf(allowed(view, principal))
    byView.set(view, (byView.get(view) ?? new Map<string, ToolScope>()).set(key, scope))
    return scope
  }
  return {
    of(view: CatalogView, { principal, filter = {} }: Asked): ToolScope {
      const scope = unfiltered(view, principal)
      const isFiltered = Object.values(filter).some((value) => value !== undefined)
      return isFiltered ? scopeOf(scope.tools.filter((tool) => fits(tool, filter))) : scope
    },
    clear() {
      byView = new WeakMap()
    },
  }
}

function fits(tool: CatalogTool, { server, category, tag, readOnly }: ToolFilter): boolean {
  return (
    (server === undefined || tool.server === server) &&
    (category === undefined || tool.category === category) &&
    (tag === undefined || tool.tags.includes(tag)) &&
    (readOnly === undefined || isReadOnly(tool) === readOnly)
  )
}

function isReadOnly({ definition }: CatalogTool): boolean {
  return objectAt(definition, 'annotations')?.['readOnlyHint'] === true
}
