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
  /** By exposed name and id. */
  readonly byOther: ReadonlyMap<string, CatalogTool>
}

const indexes = new WeakMap<readonly CatalogTool[], ToolIndex>()

/** Made once for each revision: how long a name takes to be found does not tell whether there is one. */
function indexOf(tools: readonly CatalogTool[]): ToolIndex {
  const known = indexes.get(tools)
  if (known) return known
  // Of two the first has the name.
  const last = tools.toReversed()
  const byName = new Map(last.map((tool) => [tool.name, tool]))
  const byOther = new Map(last.flatMap((tool) => [[tool.id, tool] as const, [tool.exposedName, tool] as const]))
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
