import { AppError } from '#kernel/errors'
import type { Broadcast } from '#kernel/broadcast'
import type { Logger } from '#kernel/logger'
import type { Tracer } from '#kernel/span'
import type { Policy } from '#policy/policy'
import type { CatalogTool } from '#registry/catalog-view'
import type { Catalog } from '#registry/registry-api'
import type { BreakerRules } from '#resilience/breaker'
import { createAlternatives } from './alternatives.ts'
import type { SharedTexts } from '#resilience/second-level'
import { createArgumentSchemas } from './argument-schemas.ts'
import { createBreakers, type BreakerChanged, type Breakers } from './breakers.ts'
import { isToolError, type Call, type CallResult, type Dispatch, type Interceptor } from './call.ts'
import { createCallDecisions, type CallDecision } from './call-decisions.ts'
import { createCallMeter, type CallMeter } from './call-meter.ts'
import { callPath, createGateway } from './call-path.ts'
import type { ExecutionStore } from './executions.ts'
import type { Gateway } from './gateway.ts'
import { createHistory } from './history.ts'
import { createBreakerLink } from './interceptors/breaker.ts'
import { createFallback } from './interceptors/fallback.ts'
import { createCacheLink } from './interceptors/cache.ts'
import { createGuards, type Guard } from './interceptors/guards.ts'
import { createLimitConcurrency, type LimitConcurrency } from './interceptors/limit-concurrency.ts'
import { createRetry } from './interceptors/retry.ts'
import { createTimeout } from './interceptors/timeout.ts'
import { createValidateArguments } from './interceptors/validate-arguments.ts'
import { loadGuards, type GuardEntry } from './load-guards.ts'
import { createPayloads, type KeptPayloads } from './payloads.ts'
import { toolTarget } from './route.ts'
import { createResultCache, type ResultCache } from './result-cache.ts'
import { createTrace } from './trace.ts'
import type { VisibleViews } from './visible-views.ts'

/** Where each call leaves a record. */
interface AuditOfCalls {
  record(call: Call, outcome: CallResult | AppError, decision: CallDecision): Promise<void> | undefined
  /** Throws `unavailable` while records cannot be written; absent where calls go on without. */
  readonly admit: (() => void) | undefined
}

export interface OpenGatewayDeps {
  readonly views: VisibleViews
  readonly catalog: Pick<Catalog, 'allTools' | 'view'>
  readonly policy: Pick<Policy, 'decide'>
  readonly endurance: { readonly breaker: BreakerRules; readonly attempts: number }
  /** Whether an upstream can take calls. */
  isOnline(upstreamId: string): boolean
  breakerChanged(change: BreakerChanged): void
  readonly executions: ExecutionStore
  /** What the history keeps of what calls carry. */
  readonly payloads: KeptPayloads
  readonly dispatch: Dispatch
  readonly audit: AuditOfCalls
  /** Hears of the calls of tools that did not fail. */
  succeeded(call: Call): void
  /** Absent where no call is traced. */
  readonly tracer?: Tracer | undefined
  readonly cache: CacheSettings
  /** Where gateways keep results together; absent for one that is alone. */
  readonly texts?: SharedTexts | undefined
  readonly broadcast: Broadcast
  readonly log: Logger
  readonly slowCallMs: number
  /** Epoch milliseconds. */
  now(): number
}

/** What the gateway has counted, and what it is busy with. */
export interface Workload {
  /** Calls that run now. */
  readonly running: number
  /** Since the start, by server. */
  counts: CallMeter['report']
  queues: LimitConcurrency['queues']
  /** Rows of the history that are not written yet. */
  unwritten(): number
}

/** What an operator says about the cache of results. */
interface CacheSettings {
  readonly enabled: boolean
  /** Where a rule names no time. */
  readonly ttlMs: number
  readonly bytesMax: number
}

/** The gateway with its links and their state. */
export interface OpenGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly workload: Workload
  readonly breakers: Breakers
  readonly results: ResultCache
  /** Puts other rules in force. Rejects with `validation_error`, and the old ones stay, when one cannot be loaded. */
  useGuards(entries: readonly GuardEntry[]): Promise<void>
}

/** Builds the parts that exist; `callPath` puts them in order. */
export function openGateway(deps: OpenGatewayDeps): OpenGateway {
  const { views, executions, dispatch, log, now } = deps
  const schemas = createArgumentSchemas((error) => log.debug({ error }, 'input schema cannot be compiled'))
  const meter = createCallMeter(now)
  const limitConcurrency = createLimitConcurrency()
  const { enabled, ttlMs, bytesMax } = deps.cache
  const results = createResultCache({ enabled, bytesMax, texts: deps.texts, broadcast: deps.broadcast, log, now })
  let guards: readonly Guard[] = []
  const hasGuards = (): boolean => guards.length > 0
  const payloadsOf = createPayloads(deps.payloads, hasGuards)
  const history = createHistory({ store: executions, log, payloadsOf, now })
  const breakers = openBreakers(deps)
  const decisionOf = createCallDecisions(deps.catalog, deps.policy, views.scopeOf)
  const path = callPath({
    trace: createTrace({ log, slowMs: deps.slowCallMs, now }),
    count: meter.ended,
    history: history.ended,
    audit: (call, outcome) => deps.audit.record(call, outcome, decisionOf(call)),
    learn(call, outcome) {
      if (!(outcome instanceof AppError) && !isToolError(outcome)) deps.succeeded(call)
    },
    admitAudit: admitting(deps.audit),
    fallback: createFallback(views),
    validateArguments: createValidateArguments(schemas),
    guards: createGuards(() => guards),
    hasGuards,
    cache: enabled ? createCacheLink(results, ttlMs) : undefined,
    limitConcurrency: limitConcurrency.run,
    retry: createRetry({ attempts: deps.endurance.attempts, now }),
    breaker: createBreakerLink(breakers),
    timeout: createTimeout(now),
  })
  const gateway = createGateway({ views, path, dispatch, tracer: deps.tracer })
  return {
    gateway,
    breakers,
    workload: {
      get running() {
        return gateway.running
      },
      counts: meter.report,
      queues: limitConcurrency.queues,
      unwritten: () => history.waiting,
    },
    results,
    async useGuards(entries) {
      guards = await loadGuards(entries)
    },
    async [Symbol.asyncDispose]() {
      results[Symbol.dispose]()
      await history[Symbol.asyncDispose]()
    },
  }
}

function admitting({ admit }: AuditOfCalls): Interceptor | undefined {
  if (!admit) return undefined
  return function admitAudit(call, next) {
    admit()
    return next(call)
  }
}

function openBreakers({
  views,
  catalog,
  endurance,
  isOnline,
  breakerChanged: changed,
  now,
}: OpenGatewayDeps): Breakers {
  const isUp = (tool: CatalogTool): boolean =>
    (tool.kind === 'http' || isOnline(tool.upstreamId)) && breakers.of(toolTarget(tool)).status().state === 'closed'
  const alternatives = createAlternatives({ views, isUp })
  const breakers = createBreakers({ rules: endurance.breaker, catalog, alternatives, changed, now })
  return breakers
}
