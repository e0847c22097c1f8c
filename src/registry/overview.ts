import { KeyedCounts } from '#kernel/keyed-counts'
import type { Catalog, Registry } from './registry-api.ts'
import type { UpstreamControl, UpstreamState } from './upstream-status.ts'

/** One upstream in a line. */
export interface UpstreamLine {
  readonly name: string
  readonly status: UpstreamState
  readonly tools: number
}

/** All upstreams as they are now. */
export function overviewOf(registry: Registry, control: Pick<UpstreamControl, 'status'>): UpstreamLine[] {
  const tools = new KeyedCounts()
  for (const { upstreamId } of registry.catalog.allTools()) tools.add(upstreamId, 1)
  return registry.upstreams.list().map(({ id, name }) => ({
    name,
    status: control.status(id).state,
    tools: tools.of(id),
  }))
}

/** An upstream in numbers. */
export interface UpstreamLoad {
  readonly server: string
  readonly state: UpstreamState
  readonly sessions: number
  /** Processes that run for it. */
  readonly children: number
}

/** All upstreams as they are now, in numbers. */
export function upstreamLoads(registry: Registry, control: Pick<UpstreamControl, 'status'>): UpstreamLoad[] {
  return registry.upstreams.list().map(({ id, name }) => {
    const { state, sessions, pids } = control.status(id)
    return { server: name, state, sessions, children: pids.length }
  })
}

/** The catalog in numbers. */
export interface CatalogSize {
  readonly revision: number
  readonly tools: number
  readonly resources: number
  readonly prompts: number
  readonly collisions: number
}

export function catalogSize(catalog: Catalog): CatalogSize {
  const { resources = [], prompts = [] } = catalog.view() ?? {}
  return {
    revision: catalog.revision,
    tools: catalog.allTools().length,
    resources: resources.length,
    prompts: prompts.length,
    collisions: catalog.collisions().length,
  }
}
