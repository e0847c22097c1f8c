import type { BannerFacts } from '#cli/banner'
import type { Config, DynamicConfig } from '#config/config'
import { removeGatewayFile, writeGatewayFile } from '#config/gateway-file'
import { followConfig } from '#config/reload'
import { secretKey } from '#config/secret-key'
import type { Gateway } from '#gateway/gateway'
import { openAccess, type Access } from '#gateway/open-access'
import { openGateway } from '#gateway/open-gateway'
import { createApi } from '#http/api'
import { createFrontDoor, type FrontDoor } from '#http/front-door'
import { uuidv7 } from '#kernel/ids'
import { GATEWAY_INFO } from '#kernel/protocol'
import { createSealer } from '#kernel/seal'
import { createMcpEndpoint, type McpEndpoint } from '#mcp/endpoint'
import { exposureOf } from '#mcp/exposure'
import { createHostGuard } from '#mcp/host-guard'
import { applyFile } from '#registry/apply-file'
import { overviewOf } from '#registry/overview'
import { openRegistry } from '#registry/registry'
import type { Registry } from '#registry/registry-api'
import { openToolSearch, type OpenSearch } from '#search/open-tool-search'
import { openStorage, type Storage } from '#storage/open-storage'
import { followCatalog } from '#telemetry/events'
import type { createLogger } from '#telemetry/log'
import { createMetrics } from '#telemetry/metrics'
import { openOutbound, type Outbound } from '#upstream/open-outbound'

/** The whole program, built and not yet listening. */
export interface App extends AsyncDisposable {
  /** Begins to listen, and to connect upstreams in the background. */
  listen(): Promise<BannerFacts>
  /** Reads the config file again. */
  reload(): void
  /** Finishes what runs (within the grace period), stops all children, stores what is to be stored. */
  close(): Promise<void>
}

export interface AppDeps {
  readonly logs: ReturnType<typeof createLogger>
  /** What children inherit an allow-list of. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

const now = (): number => Date.now()

/** The composition root: the only place that knows every room. */
export async function createApp(config: Config, deps: AppDeps): Promise<App> {
  await using resources = new AsyncDisposableStack()
  const core = await createCore(config, deps, resources)
  const parts: Parts = { config, core, life: { startedAt: now(), isDraining: false }, resources }
  const door = await createSurfaces(parts, deps)
  const { reload } = resources.use(followConfig(config, core.apply, deps.logs.logger('config')))
  return runningApp({ ...parts, resources: resources.move() }, door, reload)
}

interface Parts {
  readonly config: Config
  readonly core: Core
  readonly life: { readonly startedAt: number; isDraining: boolean }
  readonly resources: AsyncDisposableStack
}

/** What every surface stands on. */
interface Core {
  readonly storage: Storage
  readonly registry: Registry
  readonly access: Access
  readonly search: OpenSearch
  readonly outbound: Outbound
  readonly gateway: Gateway
  /** News of upstreams go to whoever listens; the endpoint, once it is there. */
  readonly news: { resourceUpdated: McpEndpoint['resourceUpdated']; taskChanged: McpEndpoint['taskChanged'] }
  apply(dynamic: DynamicConfig): Promise<void>
}

async function createCore(config: Config, deps: AppDeps, resources: AsyncDisposableStack): Promise<Core> {
  const { logs, environment } = deps
  const storage = resources.use(await openStorage(config.database, { log: logs.logger('storage'), now }))
  const registry = await openRegistry({ stores: storage.registry, expose: config.expose, now, newId: uuidv7 })
  followCatalog(logs.logger('registry'), registry.catalog)
  await applyFile(registry, config.dynamic, logs.logger('registry'))
  const secret = await secretKey(config)
  const accessDeps = { catalog: registry.catalog, stores: storage, secret, settings: config.access, now, newId: uuidv7 }
  const access = await openAccess({ ...accessDeps, log: logs.logger('identity') })
  const shared = { catalog: registry.catalog, ...access, now }
  const searchDeps = { stores: storage.search, settings: config.search, log: logs.logger('search') }
  const search = resources.use(await openToolSearch({ ...shared, ...searchDeps }))
  const news: Core['news'] = { resourceUpdated() {}, taskChanged() {} }
  const { resultBytesMax: messageBytesMax, handshakeTimeoutMs, toolTimeoutMs } = config
  // Before those that it calls: they end first, and the calls that they had end in the history.
  const { gateway, useGuards } = resources.use(
    openGateway({
      ...shared,
      executions: storage.executions,
      dispatch: (call) => outbound.dispatch(call),
      succeeded: search.called,
      log: logs.logger('gateway'),
    }),
  )
  const outbound = resources.use(
    openOutbound({
      registry,
      log: logs.logger('upstream'),
      now,
      inherited: environment,
      limits: { messageBytesMax, handshakeTimeoutMs, connectTimeoutMs: 10_000 },
      admission: { ...config, isLoopbackOnly: true },
      configFile: config.file,
      toolTimeoutMs,
      resourceUpdated: (...update) => news.resourceUpdated(...update),
      taskChanged: (...change) => news.taskChanged(...change),
    }),
  )
  const apply = async (dynamic: DynamicConfig): Promise<void> => {
    await useGuards(dynamic.guards)
    await applyFile(registry, dynamic, logs.logger('registry'))
    outbound.watch(dynamic.discovery)
  }
  await useGuards(config.dynamic.guards)
  return { access, storage, registry, search, outbound, gateway, news, apply }
}

async function createSurfaces({ config, core, life, resources }: Parts, { logs }: AppDeps): Promise<FrontDoor> {
  const { registry, storage, gateway, search, access } = core
  const { upstreams, admission, discovery } = core.outbound
  const guard = createHostGuard(config)
  const endpoint = createMcpEndpoint({
    ...upstreams,
    gateway,
    catalog: registry.catalog,
    search,
    ...access,
    guard,
    sealer: createSealer(await secretKey(config)),
    log: logs.logger('mcp'),
    bodyBytesMax: config.bodyBytesMax,
    sessionIdleMsMax: config.sessionIdleMsMax,
    now,
  })
  Object.assign(core.news, { resourceUpdated: endpoint.resourceUpdated, taskChanged: endpoint.taskChanged })
  const api = await createApi({
    registry,
    gateway,
    upstreams,
    executions: storage.executions,
    search,
    exposureOf,
    definitionTokens: endpoint.definitionTokens,
    ...access,
    metrics: config.metricsEnabled ? createMetrics(endpoint) : undefined,
    health: {
      version: GATEWAY_INFO.version,
      startedAt: life.startedAt,
      isDraining: () => life.isDraining,
      sessions: () => endpoint.sessions,
      checkStorage: () => storage.check(),
    },
    log: logs.logger('http'),
    bodyBytesMax: config.bodyBytesMax,
    toolTimeoutMs: config.toolTimeoutMs,
    now,
    newId: uuidv7,
    hostGuard: guard,
    logLevel: logs.level,
    setLogLevel: logs.setLevel,
    admit: admission.admit,
    discover: discovery.discover,
  })
  resources.defer(() => api.close())
  return createFrontDoor({ endpoint, api, gateway, log: logs.logger('http') })
}

function runningApp({ config, core, life, resources }: Parts, door: FrontDoor, reload: () => void): App {
  const shutDown = async (): Promise<void> => {
    life.isDraining = true
    await door.close(config.gracePeriodMs)
    await resources.disposeAsync()
    await removeGatewayFile(config.dataDir, process.pid)
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= shutDown())
  return {
    reload,
    async listen() {
      const url = await door.listen(config.port, config.host)
      await writeGatewayFile(config.dataDir, { url, pid: process.pid })
      core.outbound.upstreams.start()
      core.search.readAhead()
      core.outbound.watch(config.dynamic.discovery)
      const { administrator } = core.access
      const servers = overviewOf(core.registry, core.outbound.upstreams)
      return { url, mcp: `${url}/mcp`, servers, ...(administrator ? { administrator } : {}) }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

export { bridgeStdio } from '#mcp/stdio-bridge' // for main.ts
