import { ToolNotFoundError } from '#kernel/errors'
import type { CatalogTool } from '#registry/catalog-view'
import type { Registry } from '#registry/registry-api'

/** The tool that an address means: by its name, its name for MCP clients, or its id. Disabled tools are found too. */
export function findTool({ catalog }: Pick<Registry, 'catalog'>, key: string): CatalogTool | undefined {
  const { byName, byOther } = indexOf(catalog.allTools())
  return byName.get(key) ?? catalog.view()?.toolByName.get(key) ?? byOther.get(key)
}

interface ToolIndex {
  readonly byName: ReadonlyMap<string, CatalogTool>
  /** By id, and by the exposed name where that is another. */
  readonly byOther: ReadonlyMap<string, CatalogTool>
}

const indexes = new WeakMap<readonly CatalogTool[], ToolIndex>()

/** Made once for each revision: how long a name takes to be found does not tell whether there is one. */
function indexOf(tools: readonly CatalogTool[]): ToolIndex {
  const known = indexes.get(tools)
  if (known) return known
  const byName = new Map<string, CatalogTool>()
  const byOther = new Map<string, CatalogTool>()
  // Of two the first has the name.
  for (let at = tools.length - 1; at >= 0; at -= 1) {
    const tool = tools[at] as CatalogTool
    byName.set(tool.name, tool)
    byOther.set(tool.id, tool)
    if (tool.exposedName !== tool.name) byOther.set(tool.exposedName, tool)
  }
  const made = { byName, byOther }
  indexes.set(tools, made)
  return made
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
