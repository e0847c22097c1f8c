import type { Config } from '#config/config'
import type { HistoryKeeper } from '#gateway/keep-history'
import type { ApiDeps } from '#http/api-deps'
import type { HealthSource } from '#http/health-source'
import { sharedProbe } from '#http/shared-probe'
import { storageWorks } from '#http/storage-check'
import { GATEWAY_INFO } from '#kernel/protocol'
import type { McpEndpoint } from '#mcp/endpoint'
import { catalogSize, upstreamLoads } from '#registry/overview'
import { freeSpace } from '#storage/free-space'
import { breakerMetrics } from '#telemetry/breaker-metrics'
import { cacheMetrics } from '#telemetry/cache-metrics'
import { callMetrics } from '#telemetry/call-metrics'
import { catalogMetrics } from '#telemetry/catalog-metrics'
import { definitionTokenMetrics } from '#telemetry/definition-token-metrics'
import { gatewayMetrics } from '#telemetry/gateway-metrics'
import type { Log } from '#telemetry/log'
import { createMetrics, type Family } from '#telemetry/metrics'
import { searchMetrics } from '#telemetry/search-metrics'
import { traceMetrics } from '#telemetry/trace-metrics'
import { upstreamMetrics } from '#telemetry/upstream-metrics'
import { now, type Foundation } from './foundation.ts'

export interface VitalsDeps {
  readonly config: Config
  readonly core: Foundation
  readonly life: { readonly startedAt: number; readonly isDraining: boolean }
  readonly history: HistoryKeeper
  readonly endpoint: Pick<McpEndpoint, 'sessions' | 'definitionTokens'>
  readonly logs: Pick<Log, 'linesLost'>
}

/** How the gateway is, as health endpoints and Prometheus ask: one truth for both. */
export function openVitals(deps: VitalsDeps): Pick<ApiDeps, 'health' | 'metrics'> {
  const health = healthOf(deps)
  return { health, metrics: deps.config.metricsEnabled ? createMetrics(familiesOf(deps, health)) : undefined }
}

function healthOf({ config, core, life, history, endpoint }: VitalsDeps): HealthSource {
  const { redis, workload } = core
  return {
    version: GATEWAY_INFO.version,
    startedAt: life.startedAt,
    isDraining: () => life.isDraining,
    sessions: () => endpoint.sessions,
    workload,
    history: history.report,
    checkStorage: sharedProbe(() => storageTakesRows(core), now),
    freeSpace: () => freeSpace(config.dataDir),
    ...(redis && { redisIsUp: () => redis.isUp }),
  }
}

/** A disk that is full still answers questions: whether rows can be written, those who write know. */
async function storageTakesRows({ storage, audit }: Foundation): Promise<void> {
  await storage.check()
  audit.admit()
}

/** All that `/metrics` shows: who counts hands over how to read it. */
function familiesOf({ core, endpoint, logs }: VitalsDeps, health: HealthSource): Family[] {
  const { registry, outbound, search, workload, breakers, results, tracing } = core
  return [
    ...gatewayMetrics({ ...health, ...logs, storageWorks: () => storageWorks(health) }),
    ...callMetrics(workload),
    ...breakerMetrics(breakers.list),
    ...cacheMetrics(results.stats),
    ...upstreamMetrics(() => upstreamLoads(registry, outbound.upstreams)),
    ...catalogMetrics(() => catalogSize(registry.catalog)),
    ...searchMetrics(search),
    ...definitionTokenMetrics(endpoint.definitionTokens),
    ...traceMetrics(tracing),
  ]
}
