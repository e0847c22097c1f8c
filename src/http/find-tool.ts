import { ToolNotFoundError } from '#kernel/errors'
import type { CatalogTool } from '#registry/catalog-view'
import type { Registry } from '#registry/registry-api'

/** The tool that an address means: by its name, its name for MCP clients, or its id. Disabled tools are found too. */
export function findTool({ catalog }: Pick<Registry, 'catalog'>, key: string): CatalogTool | undefined {
  const { named, other } = finderOf(catalog.allTools())(key)
  return named ?? catalog.view()?.toolByName.get(key) ?? other
}

/** How long a name takes to be found does not tell whether there is one. */
type Finder = (key: string) => {
  readonly named: CatalogTool | undefined
  /** By id, or by the exposed name where that is another. */
  readonly other: CatalogTool | undefined
}

/** An index of thousands of tools takes as long as a hundred looks through all of them, and each change needs a new one. */
const LOOKS_MAX = 8

const finders = new WeakMap<readonly CatalogTool[], Finder>()

/** One for each revision. */
function finderOf(tools: readonly CatalogTool[]): Finder {
  const known = finders.get(tools)
  if (known) return known
  let looks = 0
  let indexed: Finder | undefined
  const finder: Finder = (key) => {
    looks += 1
    if (looks > LOOKS_MAX) indexed ??= indexOf(tools)
    return indexed ? indexed(key) : lookThrough(tools, key)
  }
  finders.set(tools, finder)
  return finder
}

/** Of two the first has the name. */
function lookThrough(tools: readonly CatalogTool[], key: string): ReturnType<Finder> {
  let named: CatalogTool | undefined
  let other: CatalogTool | undefined
  for (let at = tools.length - 1; at >= 0; at -= 1) {
    const tool = tools[at] as CatalogTool
    if (tool.name === key) named = tool
    else if (tool.id === key || tool.exposedName === key) other = tool
  }
  return { named, other }
}

function indexOf(tools: readonly CatalogTool[]): Finder {
  const byName = new Map<string, CatalogTool>()
  const byOther = new Map<string, CatalogTool>()
  for (let at = tools.length - 1; at >= 0; at -= 1) {
    const tool = tools[at] as CatalogTool
    byName.set(tool.name, tool)
    byOther.set(tool.id, tool)
    if (tool.exposedName !== tool.name) byOther.set(tool.exposedName, tool)
  }
  return (key) => ({ named: byName.get(key), other: byOther.get(key) })
}

export function unknownTool(key: string): ToolNotFoundError {
  return new ToolNotFoundError(key)
}

/** `findTool`, or `tool_not_found`. */
export function getTool(registry: Pick<Registry, 'catalog'>, key: string): CatalogTool {
  const tool = findTool(registry, key)
  if (tool) return tool
  throw unknownTool(key)
}
