import type { CatalogTool, CatalogView } from '#registry/catalog-view'
import type { Call } from './call.ts'
import type { VisibleViews } from './visible-views.ts'

const NAMED_MAX = 5

export interface AlternativesDeps {
  readonly views: VisibleViews
  /** Whether calls of this tool can be expected to reach anything. */
  isUp(tool: CatalogTool): boolean
}

/**
 * Names of tools that could do instead of one that cannot: of other servers, up, of the same original name or category, and
 * such that the caller may use.
 */
export function createAlternatives({ views, isUp }: AlternativesDeps): (call: Call) => string[] {
  const byView = new WeakMap<CatalogView, Map<string, CatalogTool[]>>()
  const kindsOf = (view: CatalogView): Map<string, CatalogTool[]> => {
    const known = byView.get(view) ?? byKind(view.tools)
    byView.set(view, known)
    return known
  }
  return function alternatives({ kind, principal, namespace, name }) {
    const view = kind === 'tool' ? views.view(principal, namespace) : undefined
    const tool = view?.toolByName.get(name)
    if (!view || !tool) return []
    const candidates = new Set(kindKeys(tool).flatMap((key) => kindsOf(view).get(key) ?? []))
    const names: string[] = []
    for (const each of candidates) {
      if (!isSamePlace(each, tool) && isUp(each)) names.push(each.exposedName)
      if (names.length === NAMED_MAX) break
    }
    return names
  }
}

function byKind(tools: readonly CatalogTool[]): Map<string, CatalogTool[]> {
  const kinds = new Map<string, CatalogTool[]>()
  for (const tool of tools) {
    for (const key of kindKeys(tool)) {
      const same = kinds.get(key)
      if (same) same.push(tool)
      else kinds.set(key, [tool])
    }
  }
  return kinds
}

function kindKeys({ originalName, category }: CatalogTool): string[] {
  return category === undefined ? [`name ${originalName}`] : [`name ${originalName}`, `category ${category}`]
}

/** HTTP tools share their server in name only. */
function isSamePlace(one: CatalogTool, other: CatalogTool): boolean {
  return one.kind === 'http' ? one.id === other.id : one.upstreamId === other.upstreamId
}
