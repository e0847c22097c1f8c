import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import type { AuditLog } from '#audit/audit-log'
import type { discoveryAnswer, discoveryRequest } from '#contract/discovery'
import type { logLevelBody } from '#contract/log-level'
import type { Breakers } from '#gateway/breakers'
import type { ExecutionStore } from '#gateway/executions'
import type { Gateway } from '#gateway/gateway'
import type { RateLimits } from '#gateway/rate-limits'
import type { VisibleViews } from '#gateway/visible-views'
import type { ResultCache } from '#gateway/result-cache'
import type { Identity } from '#identity/create-identity'
import type { Forwarding } from '#identity/forwarding'
import type { Principal } from '#identity/principal'
import type { AppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Exposure } from '#mcp/exposure'
import type { TokenReport } from '#mcp/token-ledger'
import type { CatalogView } from '#registry/catalog-view'
import type { Policy } from '#policy/policy'
import type { RoleRegistry } from '#policy/role-registry'
import type { HttpToolDraft, Registry, UpstreamDraft } from '#registry/registry-api'
import type { UpstreamControl } from '#registry/upstream-status'
import type { OpenSearch } from '#search/open-tool-search'
import type { HealthSource } from './health-source.ts'

type LogLevel = z.infer<typeof logLevelBody>['level']
type DiscoverySource = z.infer<typeof discoveryRequest>['source']
type Discovered = z.infer<typeof discoveryAnswer>['servers']

/** What Prometheus reads. */
interface MetricsSource {
  readonly contentType: string
  text(): Promise<string>
}

/** Seals all stored secrets anew. */
type RotateSecrets = () => Promise<{
  readonly keyId: string
  readonly isNew: boolean
  readonly resealed: number
  readonly locked: number
}>

/** What the API stands on. */
export interface ApiDeps {
  readonly registry: Registry
  readonly gateway: Pick<Gateway, 'run'>
  readonly breakers: Pick<Breakers, 'list' | 'reset'>
  readonly executions: ExecutionStore
  readonly audit: AuditLog
  readonly results: Pick<ResultCache, 'stats' | 'remove' | 'isEnabled'>
  readonly search: OpenSearch
  readonly upstreams: UpstreamControl
  readonly health: HealthSource
  readonly policy: Policy
  /** What each caller sees of the catalog. */
  readonly views: VisibleViews
  readonly roles: RoleRegistry
  readonly identity: Identity
  /** The caller without a credential, where there may be one. */
  readonly principal: Principal | undefined
  /** What `tools/list` of a view gives, and what that counts. */
  exposureOf(view: CatalogView): Pick<Exposure, 'now' | 'tokens'>
  definitionTokens(): TokenReport
  /** Undefined where an operator wants none. */
  readonly metrics?: MetricsSource | undefined
  readonly log: Logger
  readonly bodyBytesMax: number
  /** Idle limit of tools and servers that are registered without one. */
  readonly toolTimeoutMs: number
  /** Epoch milliseconds. */
  now(): number
  newId(): string
  rotateSecrets: RotateSecrets
  logLevel(): LogLevel
  setLogLevel(level: LogLevel): void
  /** Rules for what is registered over the API: where it may lead, what it may start. Throws AppError. */
  admit?(draft: UpstreamDraft | HttpToolDraft): string | undefined | Promise<string | undefined>
  /** Whom requests come from. */
  readonly forwarding: Forwarding
  /** How much callers may ask for. */
  readonly rates?: RateLimits
  /** Host and Origin check; asked before anything else of every request. */
  hostGuard?(request: IncomingMessage): AppError | undefined
  /** Looks for servers in one place, or in all that the configuration names, and registers the new ones. */
  discover?(source: DiscoverySource): Promise<Discovered>
}
