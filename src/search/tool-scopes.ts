import { setImmediate } from 'node:timers/promises'
import type { Principal } from '#identity/principal'
import { memberText } from '#kernel/json-text'
import { OwnedMap } from '#kernel/owned-map'
import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import { createBreath } from './breath.ts'
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
  /** Whether all may be found: then nobody is asked about each. */
  mayReadAll(principal: Principal, namespace?: string): boolean
  /** Principals with one scope may find the same. */
  scopeOf(principal: Principal): string
}

/** So many decisions are made between two looks at the clock. */
const DECISIONS = 64

/** Makes and remembers scopes: what the policy denies and what the filter leaves out is gone before anything is scored. */
export function createScopes(views: FindRules, prepare: (tools: readonly CatalogTool[]) => PreparedScope) {
  const allowedIn = new OwnedMap<CatalogView, readonly CatalogTool[]>()
  let byView = new OwnedMap<CatalogView, ToolScope>()
  const scopeOf = (tools: readonly CatalogTool[]): ToolScope => ({ tools, prepared: prepare(tools) })
  const unfiltered = (view: CatalogView, principal: Principal): ToolScope | undefined => {
    const key = views.scopeOf(principal)
    const known = byView.get(view, key)
    if (known) return known
    const tools = allowedIn.get(view, key)
    return tools && byView.set(view, key, scopeOf(tools))
  }
  return {
    /** Decides who may find what, giving way to other work: of ten thousand tools it takes tens of milliseconds. */
    async decide(view: CatalogView, principal: Principal): Promise<void> {
      // The request that asks has had its turn, and a scope takes one to prepare.
      await setImmediate()
      const breath = createBreath()
      for (;;) {
        const key = views.scopeOf(principal)
        if (allowedIn.get(view, key)) return
        if (views.mayReadAll(principal, view.namespace)) return void allowedIn.set(view, key, view.tools)
        const tools: CatalogTool[] = []
        for (const [at, tool] of view.tools.entries()) {
          if (views.mayRead(principal, tool, view.namespace)) tools.push(tool)
          if (at % DECISIONS === DECISIONS - 1) await breath.take()
        }
        // Rules that changed meanwhile are asked anew.
        if (key === views.scopeOf(principal)) allowedIn.set(view, key, tools)
      }
    },
    /** Undefined while nothing is decided about this view and these rules. */
    of(view: CatalogView, { principal, filter = {} }: Asked): ToolScope | undefined {
      const scope = unfiltered(view, principal)
      const isFiltered = Object.values(filter).some((value) => value !== undefined)
      return scope && isFiltered ? scopeOf(scope.tools.filter((tool) => fits(tool, filter))) : scope
    },
    clear() {
      byView = new OwnedMap()
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

function isReadOnly({ text }: CatalogTool): boolean {
  return memberText(memberText(text, 'annotations') ?? '', 'readOnlyHint') === 'true'
}
