import { join } from 'node:path'
import { createCallRecord } from '#audit/call-records'
import type { Config, DynamicConfig } from '#config/config'
import { signingPems } from '#config/signing-keys'
import type { Breakers } from '#gateway/breakers'
import type { Gateway } from '#gateway/gateway'
import { keepAccess } from '#gateway/keep-access'
import { openAccess, type Access } from '#gateway/open-access'
import { openGateway, type Workload } from '#gateway/open-gateway'
import type { ResultCache } from '#gateway/result-cache'
import { createResources } from '#identity/resources'
import { uuidv7 } from '#kernel/ids'
import type { Logger } from '#kernel/logger'
import { GATEWAY_INFO } from '#kernel/protocol'
import { type McpEndpoint } from '#mcp/endpoint'
import { applyFile } from '#registry/apply-file'
import { openRegistry } from '#registry/registry'
import type { Catalog, Registry } from '#registry/registry-api'
import { openToolSearch, type OpenSearch } from '#search/open-tool-search'
import type { Storage } from '#storage/open-storage'
import { breakerChanged, followCatalog, secretsLocked } from '#telemetry/events'
import type { createLogger } from '#telemetry/log'
import type { Tracing } from '#telemetry/tracing'
import { openOutbound, type Outbound } from '#upstream/open-outbound'
import { openStores, type Stores } from './stores.ts'

export interface AppDeps {
  readonly logs: ReturnType<typeof createLogger>
  /** What children inherit an allow-list of. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Epoch milliseconds. */
export const now = (): number => Date.now()

/** What every surface stands on. */
export interface Foundation extends Stores {
  readonly registry: Registry
  readonly access: Access
  readonly search: OpenSearch
  readonly outbound: Outbound
  readonly gateway: Gateway
  readonly workload: Workload
  readonly tracing: Tracing | undefined
  readonly breakers: Breakers
  readonly results: ResultCache
  /** News of upstreams go to whoever listens; the endpoint, once it is there. */
  readonly news: { resourceUpdated: McpEndpoint['resourceUpdated']; taskChanged: McpEndpoint['taskChanged'] }
  apply(dynamic: DynamicConfig): Promise<void>
}

/** Opens what every surface stands on, in order; `resources` ends it in the other. */
export async function openFoundation(
  config: Config,
  deps: AppDeps,
  resources: AsyncDisposableStack,
): Promise<Foundation> {
  const { logs, environment } = deps
  const stores = await openStores(config, { logger: logs.logger, now }, resources)
  const { storage } = stores
  const registry = await openFiledRegistry(config, storage, logs.logger('registry'))
  const access = await openKeptAccess(config, { ...stores, catalog: registry.catalog, logs }, resources)
  const shared = { catalog: registry.catalog, ...access, now }
  const settings = { ...config.search, indexFile: join(config.dataDir, 'search-index') }
  const searchDeps = { stores: storage.search, settings, log: logs.logger('search') }
  const search = resources.use(await openToolSearch({ ...shared, ...searchDeps }))
  const news: Foundation['news'] = { resourceUpdated() {}, taskChanged() {} }
  const { resultBytesMax: messageBytesMax, handshakeTimeoutMs, toolTimeoutMs } = config
  const tracing = await openTraces(config, deps, resources)
  // Before those that it calls: they end first, and the calls that they had end in the history.
  const { gateway, breakers, workload, results, useGuards } = resources.use(
    openGateway({
      ...shared,
      ...stores,
      executions: storage.executions,
      payloads: config.history.payloads,
      audit: { record: createCallRecord(stores.audit), admit: admission(config, stores.audit) },
      dispatch: (call) => outbound.dispatch(call),
      endurance: config.endurance,
      isOnline: (upstreamId) => outbound.upstreams.status(upstreamId).state === 'online',
      breakerChanged: (change) => breakerChanged(logs.logger('gateway'), change),
      succeeded: search.called,
      slowCallMs: config.slowCallMs,
      tracer: tracing,
      cache: config.cache,
      log: logs.logger('gateway'),
    }),
  )
  const outbound: Outbound = resources.use(
    openOutbound({
      registry,
      log: logs.logger('upstream'),
      now,
      inherited: environment,
      stdioUser: config.stdioUser,
      limits: { messageBytesMax, handshakeTimeoutMs, connectTimeoutMs: 10_000 },
      admission: config,
      configFile: config.file,
      toolTimeoutMs,
      resourceUpdated: (...update) => news.resourceUpdated(...update),
      taskChanged: (...change) => news.taskChanged(...change),
      listsChanged: results.forgetServer,
    }),
  )
  const apply = stores.records.change('settings:update', 'config file', async (dynamic: DynamicConfig) => {
    await useGuards(dynamic.guards)
    await applyFile(registry, dynamic, logs.logger('registry'))
    outbound.watch(dynamic.discovery)
  })
  await useGuards(config.dynamic.guards)
  resources.defer(forgetOfChanged(registry, { breakers, results }))
  return { ...stores, access, registry, search, outbound, gateway, breakers, workload, results, tracing, news, apply }
}

/** A server that is another from now on is judged and asked anew. */
function forgetOfChanged(registry: Registry, { breakers, results }: Pick<Foundation, 'breakers' | 'results'>) {
  return registry.onUpstreamChange(({ before }) => {
    if (!before) return
    breakers.forget(before.id)
    results.forgetServer(before)
  })
}

/** With what the operator's file says. */
async function openFiledRegistry({ expose, dynamic }: Config, storage: Storage, log: Logger): Promise<Registry> {
  const registry = await openRegistry({ stores: storage.registry, expose, now, newId: uuidv7 })
  followCatalog(log, registry.catalog)
  await applyFile(registry, dynamic, log)
  secretsLocked(log, registry)
  return registry
}

/** Only loaded where calls are traced. */
async function openTraces(
  { tracing: settings }: Config,
  { logs }: AppDeps,
  resources: AsyncDisposableStack,
): Promise<Tracing | undefined> {
  if (!settings) return undefined
  const { openTracing } = await import('#telemetry/tracing')
  return resources.use(openTracing({ settings, version: GATEWAY_INFO.version, log: logs.logger('telemetry') }))
}

async function openKeptAccess(
  config: Config,
  deps: Stores & { readonly catalog: Catalog; readonly logs: AppDeps['logs'] },
  resources: AsyncDisposableStack,
): Promise<Access> {
  const { storage: stores, broadcast, failures, catalog, logs } = deps
  const log = logs.logger('identity')
  const [secret] = deps.keys
  const endpoints = createResources(config.publicUrl, `http://localhost:${config.port}`)
  const signing = { algorithm: config.access.algorithm, secrets: deps.keys, pems: await signingPems(config.access) }
  const settings = { secret, signing, settings: config.access, resources: endpoints }
  const access = await openAccess({ catalog, stores, broadcast, failures, ...settings, log, now, newId: uuidv7 })
  resources.use(keepAccess({ ...access, broadcast, isShared: stores.kind === 'postgres', log }))
  return access
}

/** Of calls; changes are never admitted while they cannot be audited. */
function admission({ auditUnavailable }: Config, { admit }: Pick<Stores['audit'], 'admit'>): (() => void) | undefined {
  return auditUnavailable === 'block' ? admit : undefined
}
