import { AppError, ToolNotFoundError } from '#kernel/errors'
import type { LiveCatalog } from './catalog.ts'
import { overrideName } from './catalog-parts.ts'
import type { CatalogTool } from './catalog-view.ts'
import type { ToolOverrideRecord } from './records.ts'
import type { Registry, RegistryDeps, ToolOverrideChange } from './registry-api.ts'

interface ToolOverrideDeps extends RegistryDeps {
  readonly catalog: LiveCatalog
  readonly overrides: Map<string, ToolOverrideRecord>
  publish(): Promise<void>
}

/** The operation behind `Registry.overrideTool`. */
export function createToolOverride(deps: ToolOverrideDeps): Registry['overrideTool'] {
  const { catalog } = deps
  return async function overrideTool(name, change) {
    const tool = catalog.allTools().find((each) => each.id === name || each.exposedName === name)
    if (tool?.kind !== 'mcp') throw new ToolNotFoundError(name)
    refuseTakenName(catalog, tool, change.exposedName)
    await store(deps, tool, change)
    await deps.publish()
    return catalog.allTools().find((each) => each.id === tool.id) ?? tool
  }
}

function refuseTakenName(catalog: LiveCatalog, tool: CatalogTool, wanted: string | undefined): void {
  if (wanted === undefined) return
  if (catalog.allTools().some((each) => each.exposedName === wanted && each.id !== tool.id)) {
    throw new AppError('conflict', `Another tool is called ${wanted}`, { details: { name: wanted } })
  }
}

async function store(deps: ToolOverrideDeps, tool: CatalogTool, change: ToolOverrideChange): Promise<void> {
  const { stores, overrides, now, newId } = deps
  const name = overrideName(tool.upstreamId, tool.originalName)
  const before = overrides.get(name)
  const after: ToolOverrideRecord = {
    id: newId(),
    origin: 'api',
    createdAt: now(),
    ...before,
    ...change,
    name,
    upstreamId: tool.upstreamId,
    originalName: tool.originalName,
    updatedAt: now(),
  }
  await (before ? stores.overrides.update(after) : stores.overrides.insert(after))
  overrides.set(name, after)
}
