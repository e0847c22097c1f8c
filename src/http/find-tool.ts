import { ToolNotFoundError } from '#kernel/errors'
import type { CatalogTool } from '#registry/catalog-view'
import type { Registry } from '#registry/registry-api'

/** The tool that an address means: by its name, its name for MCP clients, or its id. Disabled tools are found too. */
export function findTool({ catalog }: Pick<Registry, 'catalog'>, key: string): CatalogTool | undefined {
  const exposed = catalog.view()?.toolByName.get(key)
  if (exposed?.name === key) return exposed
  const tools = catalog.allTools()
  return tools.find((tool) => tool.name === key) ?? exposed ?? tools.find((tool) => isCalled(tool, key))
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

function isCalled(tool: CatalogTool, key: string): boolean {
  return tool.exposedName === key || tool.id === key
}
