import type { Gateway } from '#gateway/gateway'
import type { VisibleViews } from '#gateway/visible-views'
import type { Logger } from '#kernel/logger'
import type { Sealer } from '#kernel/seal'
import type { Catalog } from '#registry/registry-api'
import type { ToolSearch } from '#search/tool-search'
import type { TaskDeps } from './tasks.ts'

/** What the endpoint needs of the other rooms. */
export interface McpDeps extends TaskDeps {
  readonly gateway: Gateway
  readonly catalog: Catalog
  readonly views: VisibleViews
  readonly search: Pick<ToolSearch, 'search'>
  readonly sealer: Sealer
  readonly log: Logger
  readonly bodyBytesMax: number
  /** Epoch milliseconds. */
  now(): number
  subscribe(upstreamId: string, uri: string): Promise<void>
  unsubscribe(upstreamId: string, uri: string): Promise<void>
  /** The gateways among the upstreams, and those behind them. */
  gateways(): readonly string[]
  /** A downstream session has ended; what upstreams hold for it can go. */
  forget(sessionKey: string): void
}
