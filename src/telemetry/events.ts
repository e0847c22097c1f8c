import type { Logger } from '#kernel/logger'

/** Calls and requests that take longer are worth a warning. */
const SLOW_MS_DEFAULT = 5000

export function gatewayListening(log: Logger, facts: { url: string; startMs: number; upstreams: number }): void {
  log.info(facts, 'gateway listening')
}

export function gatewayStopping(log: Logger, facts: { signal: string; running: number }): void {
  log.info(facts, 'gateway stopping')
}

export function gatewayStopped(log: Logger, facts: { ms: number; abandoned: number }): void {
  if (facts.abandoned > 0) log.warn(facts, 'gateway stopped before all calls ended')
  else log.info(facts, 'gateway stopped')
}

interface UpstreamChange {
  readonly upstream: string
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly nextRetryAt?: number
}

/** A warning where an upstream stops working or works less well; the way up is information. */
export function upstreamStateChanged(log: Logger, change: UpstreamChange): void {
  const level = change.to === 'offline' || change.to === 'degraded' ? 'warn' : 'info'
  log[level]({ ...change }, 'upstream state changed')
}

interface CatalogFacts {
  readonly revision: number
  readonly namespace?: string
  readonly tools: boolean
  readonly prompts: boolean
  readonly resources: boolean
}

export function catalogChanged(log: Logger, facts: CatalogFacts): void {
  log.info({ ...facts }, 'catalog changed')
}

interface NameFacts {
  readonly kind: string
  readonly wanted: string
  readonly given: string
  readonly upstream: string
}

export function nameCollided(log: Logger, facts: NameFacts): void {
  log.warn({ ...facts }, 'name already taken')
}

interface CallFacts {
  readonly id: string
  readonly traceId: string
  readonly kind: string
  readonly name: string
  readonly server: string
  readonly surface: string
  readonly outcome: 'success' | 'error'
  readonly errorCode?: string
  readonly durationMs: number
}

/** Never arguments or results: the history has them where the operator allows. */
export function callFinished(log: Logger, facts: CallFacts, slowMs = SLOW_MS_DEFAULT): void {
  if (facts.durationMs >= slowMs) log.warn({ ...facts, slow: true }, 'slow call')
  else log.debug({ ...facts }, 'call finished')
}

interface RequestFacts {
  readonly requestId: string
  readonly method: string
  /** The route's pattern or the path without its query. */
  readonly path: string
  readonly status: number
  readonly durationMs: number
}

export function requestServed(log: Logger, facts: RequestFacts, slowMs = SLOW_MS_DEFAULT): void {
  if (facts.durationMs >= slowMs) log.warn({ ...facts, slow: true }, 'slow request')
  else if (facts.status >= 500) log.warn({ ...facts }, 'request failed')
  else log.info({ ...facts }, 'request served')
}

interface ReloadFacts {
  readonly file: string
  readonly servers: number
  readonly tools: number
  readonly namespaces: number
  /** Settings whose change takes effect at the next start. */
  readonly needRestart: readonly string[]
}

export function configReloaded(log: Logger, facts: ReloadFacts): void {
  log.info({ ...facts }, 'configuration reloaded')
}

/** The file on disk cannot be used; what was read before stays in force. */
export function configRejected(log: Logger, facts: { file: string; problems: readonly unknown[] }): void {
  log.error(facts, 'configuration rejected, the previous one stays')
}

export function settingsUnused(log: Logger, names: readonly string[]): void {
  if (names.length > 0) log.warn({ names }, 'settings not used yet')
}
