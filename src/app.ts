import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config, DynamicConfig, LogLevel } from '#config/config'
import { removeGatewayFile, writeGatewayFile } from '#config/gateway-file'
import { watchConfig } from '#config/reload'
import { secretKey } from '#config/secret-key'
import { createArgumentSchemas } from '#gateway/argument-schemas'
import { callPath, createGateway } from '#gateway/call-path'
import type { Gateway } from '#gateway/gateway'
import { createHistory } from '#gateway/history'
import { createLinks } from '#gateway/links'
import { loadGuards } from '#gateway/load-guards'
import { createApi, type Api } from '#http/api'
import { messageOf } from '#kernel/errors'
import { uuidv7 } from '#kernel/ids'
import { GATEWAY_INFO } from '#kernel/protocol'
import { createSealer, digest } from '#kernel/seal'
import { createMcpEndpoint, type McpEndpoint } from '#mcp/endpoint'
import { createHostGuard } from '#mcp/host-guard'
import { applyFile } from '#registry/apply-file'
import { openRegistry } from '#registry/registry'
import type { Registry } from '#registry/registry-api'
import { openStorage, type Storage } from '#storage/open-storage'
import type { createLogger } from '#telemetry/log'
import { createChildMarks } from '#upstream/child-process-tree'
import { createHttpTools } from '#upstream/http-tools'
import { createUpstreams, type Upstreams } from '#upstream/upstreams'

/** Where the gateway can be reached. */
export interface Listening {
  readonly url: string
  readonly mcp: string
}

/** The whole program, built and not yet listening. */
export interface App extends AsyncDisposable {
  /** Begins to listen, and to connect upstreams in the background. */
  listen(): Promise<Listening>
  /** Reads the config file again. */
  reload(): void
  /** Finishes what runs (within the grace period), stops all children, stores what is to be stored. */
  close(): Promise<void>
  readonly registry: Registry
  readonly upstreams: Upstreams
}

export interface AppDeps {
  readonly logs: ReturnType<typeof createLogger>
  /** What children inherit an allow-list of. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

const CONNECT_TIMEOUT_MS = 10_000
const now = (): number => Date.now()

/** The composition root: the only file that knows every room. */
export async function createApp(config: Config, deps: AppDeps): Promise<App> {
  const log = (room: string) => deps.logs.logger(room)
  await using cleanup = new AsyncDisposableStack()
  const storage = cleanup.use(await openStorage(config.database, { log: log('storage'), now }))
  const registry = await openRegistry({ stores: storage.registry, now, newId: uuidv7 })
  await applyFile(registry, config.dynamic, log('registry'))
  let guards = await loadGuards(config.dynamic.guards as Parameters<typeof loadGuards>[0])

  const marks = createChildMarks(digest(config.dataDir), uuidv7)
  const leftovers = marks.killLeftovers()
  if (leftovers > 0) log('upstream').warn({ leftovers }, 'children of a killed gateway were ended')
  const upstreams = cleanup.use(
    createUpstreams({
      log: log('upstream'),
      now,
      marks,
      inherited: deps.environment,
      limits: { messageBytesMax: config.resultBytesMax, connectTimeoutMs: CONNECT_TIMEOUT_MS },
      upstreams: registry.upstreams.list,
      onUpstreamChange: registry.onUpstreamChange,
      snapshot: registry.catalog.snapshot,
      publishSnapshot: registry.publishSnapshot,
      resourceUpdated: (...update) => endpoint.resourceUpdated(...update),
    }),
  )
  const httpTools = cleanup.use(
    createHttpTools({
      find: registry.httpTools.find,
      resultBytesMax: config.resultBytesMax,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    }),
  )
  const history = cleanup.use(createHistory({ store: storage.executions, log: log('gateway'), now }))
  const schemas = createArgumentSchemas((error) => log('gateway').debug({ error }, 'input schema cannot be compiled'))
  const gateway = createGateway({
    catalog: registry.catalog,
    path: callPath(createLinks({ log: log('gateway'), now, history, schemas, guards: () => guards })),
    dispatch: (call) => (call.target.tool?.kind === 'http' ? httpTools.run(call) : upstreams.run(call)),
    history,
  })
  const guard = createHostGuard(config)
  const endpoint: McpEndpoint = createMcpEndpoint({
    gateway,
    catalog: registry.catalog,
    sealer: createSealer(await secretKey(config)),
    log: log('mcp'),
    bodyBytesMax: config.bodyBytesMax,
    now,
    guard,
    isCatalogComplete: () =>
      registry.upstreams.list().every(({ id, enabled }) => !enabled || registry.catalog.snapshot(id)),
    subscribe: upstreams.subscribe,
    unsubscribe: upstreams.unsubscribe,
    forget: upstreams.forget,
  })
  const life = { isDraining: false, startedAt: now() }
  let level: LogLevel = config.logLevel
  const api = await createApi({
    registry,
    gateway,
    executions: storage.executions,
    upstreams,
    health: {
      version: GATEWAY_INFO.version,
      startedAt: life.startedAt,
      isDraining: () => life.isDraining,
      checkStorage: () => storage.check(),
    },
    log: log('http'),
    bodyBytesMax: config.bodyBytesMax,
    toolTimeoutMs: config.toolTimeoutMs,
    now,
    newId: uuidv7,
    hostGuard: guard,
    logLevel: () => level,
    setLogLevel(wanted) {
      level = wanted
      deps.logs.setLevel(wanted)
    },
  })
  const applyDynamic = async (dynamic: DynamicConfig): Promise<void> => {
    guards = await loadGuards(dynamic.guards as Parameters<typeof loadGuards>[0])
    await applyFile(registry, dynamic, log('registry'))
  }
  const rejected = (error: unknown): void =>
    log('config').error({ error: messageOf(error) }, 'config file rejected; the old one stays in force')
  const watch = cleanup.use(
    watchConfig(
      config,
      (dynamic) => void applyDynamic(dynamic).then(() => log('config').info({}, 'config file applied'), rejected),
      rejected,
    ),
  )
  const resources = cleanup.move()
  const server = createFrontDoor(endpoint, api)
  return runningApp({
    config,
    server,
    endpoint,
    api,
    gateway,
    registry,
    upstreams,
    storage,
    resources,
    life,
    reload: watch.reload,
  })
}

/** One server for everything: MCP by hand, the rest through the API. */
function createFrontDoor(endpoint: McpEndpoint, api: Api): Server {
  const server = createServer({ noDelay: true, keepAliveTimeout: 65_000 }, (request, response) => {
    if (!endpoint.handle(request, response)) api.handle(request, response)
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  return server
}

interface Parts {
  readonly config: Config
  readonly server: Server
  readonly endpoint: McpEndpoint
  readonly api: Api
  readonly gateway: Gateway
  readonly registry: Registry
  readonly upstreams: Upstreams
  readonly storage: Storage
  readonly resources: AsyncDisposableStack
  readonly life: { isDraining: boolean }
  reload(): void
}

function runningApp(parts: Parts): App {
  const { config, server, registry, upstreams } = parts
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= shutDown(parts))
  return {
    registry,
    upstreams,
    reload: parts.reload,
    async listen() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(config.port, config.host, resolve)
      })
      const { port } = server.address() as AddressInfo
      const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
      await writeGatewayFile(config.dataDir, { url, pid: process.pid })
      upstreams.start()
      return { url, mcp: `${url}/mcp` }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function shutDown({ config, server, endpoint, api, gateway, resources, life }: Parts): Promise<void> {
  life.isDraining = true
  const closed = new Promise((resolve) => server.close(resolve))
  const grace = Promise.withResolvers<void>()
  const timer = setTimeout(grace.resolve, config.gracePeriodMs)
  await Promise.race([gateway.whenIdle(), grace.promise])
  clearTimeout(timer)
  endpoint[Symbol.dispose]()
  server.closeAllConnections()
  if (server.listening) await closed
  await api.close()
  await resources.disposeAsync()
  await removeGatewayFile(config.dataDir, process.pid)
}
