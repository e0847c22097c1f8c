import type { BannerFacts } from '#cli/banner'
import type { Config } from '#config/config'
import { removeGatewayFile, writeGatewayFile } from '#config/gateway-file'
import { followConfig } from '#config/reload'
import { followTlsFiles, readTlsFiles } from '#config/tls-files'
import { createEdges, type Edges } from '#gateway/edges'
import { keepHistory, type HistoryKeeper } from '#gateway/keep-history'
import { createApi } from '#http/api'
import { createFrontDoor, type FrontDoor } from '#http/front-door'
import { networkOf } from '#identity/addresses'
import { uuidv7 } from '#kernel/ids'
import type { Logger } from '#kernel/logger'
import { createRingSealer } from '#kernel/seal'
import { createMcpEndpoint } from '#mcp/endpoint'
import { exposureOf } from '#mcp/exposure'
import { ALLOWANCES, createOauth, type Oauth } from '#oauth/create-oauth'
import { overviewOf } from '#registry/overview'
import { gatewayListening, listeningInTheOpen } from '#telemetry/events'
import { collectIdleGarbage } from '#telemetry/idle-garbage'
import { createRateLimiter } from '#resilience/rate-limit'
import { createDocumentReader } from '#upstream/document-reader'
import { now, openFoundation, type AppDeps, type Foundation } from './foundation.ts'
import { openVitals } from './vitals.ts'

/** The whole program, built and not yet listening. */
export interface App extends AsyncDisposable {
  /** Where there is no user at all, makes an administrator and an API key; what it answers is never shown again. */
  firstStart: Foundation['access']['firstStart']
  /** Begins to listen, and to connect upstreams in the background. */
  listen(): Promise<BannerFacts>
  /** Reads the config file and the certificate again. */
  reload(): void
  /** Finishes what runs (within the grace period), stops all children, stores what is to be stored. */
  close(): Promise<void>
}

/** The composition root: the only place that knows every room. */
export async function createApp(config: Config, deps: AppDeps): Promise<App> {
  await using resources = new AsyncDisposableStack()
  const core = await openFoundation(config, deps, resources)
  const life = { startedAt: now(), isDraining: false }
  const history = resources.use(openHistory(config, core, deps))
  const parts: Parts = { config, core, life, history, log: deps.logs.logger('main'), resources }
  const door = await createSurfaces(parts, deps)
  resources.use(collectIdleGarbage({ log: parts.log }))
  const log = deps.logs.logger('config')
  const file = resources.use(followConfig(config, core.apply, log))
  const tls = resources.use(followTlsFiles(config, door.useTls, log))
  const reload = (): void => [file, tls].forEach((each) => each.reload())
  return runningApp({ ...parts, resources: resources.move() }, door, reload)
}

interface Parts {
  readonly config: Config
  readonly core: Foundation
  readonly life: { readonly startedAt: number; isDraining: boolean }
  readonly history: HistoryKeeper
  readonly log: Logger
  readonly resources: AsyncDisposableStack
}

function openHistory({ history: retention }: Config, { storage }: Foundation, { logs }: AppDeps): HistoryKeeper {
  const { executions, search } = storage
  return keepHistory({ executions, searches: search.searches, retention, log: logs.logger('storage'), now })
}

async function createSurfaces(parts: Parts, { logs }: AppDeps): Promise<FrontDoor> {
  const { config, core, resources } = parts
  const { registry, storage, audit, gateway, breakers, search, access } = core
  const { upstreams, admission, discovery } = core.outbound
  const edges = createEdges({ ...config, shared: core.counts, now })
  const endpoint = createMcpEndpoint({
    ...upstreams,
    gateway,
    catalog: registry.catalog,
    search,
    ...access,
    ...edges,
    refused: core.records.refused,
    sealer: createRingSealer(core.keys),
    log: logs.logger('mcp'),
    bodyBytesMax: config.bodyBytesMax,
    sessionIdleMsMax: config.sessionIdleMsMax,
    streamsMax: config.streamsMax,
    now,
  })
  Object.assign(core.news, { resourceUpdated: endpoint.resourceUpdated, taskChanged: endpoint.taskChanged })
  const api = await createApi({
    registry,
    gateway,
    breakers,
    upstreams,
    executions: storage.executions,
    audit,
    results: core.results,
    search,
    exposureOf,
    definitionTokens: endpoint.definitionTokens,
    ...access,
    ...openVitals({ ...parts, endpoint, logs }),
    log: logs.logger('http'),
    bodyBytesMax: config.bodyBytesMax,
    toolTimeoutMs: config.toolTimeoutMs,
    now,
    newId: uuidv7,
    ...edges,
    rotateSecrets: core.rotateSecrets,
    logLevel: logs.level,
    setLogLevel: logs.setLevel,
    admit: admission.admit,
    discover: discovery.discover,
  })
  resources.defer(() => api.close())
  const oauth = await openOauth(parts, edges, logs.logger('oauth'))
  const tls = await readTlsFiles(config)
  return createFrontDoor({ endpoint, oauth, api, gateway, ...config, ...edges, tls, log: logs.logger('http') })
}

async function openOauth({ config, core, resources }: Parts, edges: Edges, log: Logger): Promise<Oauth> {
  const { identity, resources: endpoints, grantKey: key } = core.access
  const documents = resources.use(createDocumentReader(config))
  const limiter = (name: keyof typeof ALLOWANCES) =>
    createRateLimiter(ALLOWANCES[name], { name, shared: core.counts, now })
  const allowances = { registration: limiter('registration'), document: limiter('document') }
  const [secret] = core.keys
  return createOauth({
    identity,
    resources: endpoints,
    key,
    store: core.storage.oauth,
    sealer: createRingSealer(core.keys),
    secret,
    ...config.access,
    ...edges,
    log,
    records: { admit: core.audit.admit, record: core.records.atOauth },
    fetchDocument: documents.read,
    take: (what, address = '') => allowances[what].take(networkOf(address)),
    now,
  })
}

function runningApp({ config, core, life, log, resources }: Parts, door: FrontDoor, reload: () => void): App {
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
    async firstStart() {
      const first = await core.access.firstStart()
      if (first) await core.records.did('users:create', `users/${first.administrator.username}`)
      return first
    },
    async listen() {
      const url = await door.listen(config.port, config.host)
      core.access.resources.listensAt(url)
      await writeGatewayFile(config.dataDir, { url, pid: process.pid, token: core.access.localToken })
      core.outbound.upstreams.start()
      core.search.readAhead()
      core.outbound.watch(config.dynamic.discovery)
      const servers = overviewOf(core.registry, core.outbound.upstreams)
      gatewayListening(log, { url, servers: servers.length })
      if (!config.isLoopbackOnly && !config.tls) listeningInTheOpen(log, config.host)
      return { url, mcp: `${url}/mcp`, servers, needsKey: core.access.principal === undefined }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

export { bridgeStdio } from '#mcp/stdio-bridge' // for main.ts
export { openStoredAudit } from './stores.ts' // for main.ts
