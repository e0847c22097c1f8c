import type { Registry } from './registry-api.ts'
import type { UpstreamControl, UpstreamState } from './upstream-status.ts'

/** One upstream in a line. */
export interface UpstreamLine {
  readonly name: string
  readonly status: UpstreamState
  readonly tools: number
}

/** All upstreams as they are now. */
export function overviewOf(registry: Registry, control: Pick<UpstreamControl, 'status'>): UpstreamLine[] {
  const tools = registry.catalog.allTools()
  return registry.upstreams.list().map(({ id, name }) => ({
    name,
    status: control.status(id).state,
    tools: tools.filter(({ upstreamId }) => upstreamId === id).length,
  }))
}
