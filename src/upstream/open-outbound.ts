import { dirname } from 'node:path'
import type { Dispatch } from '#gateway/call'
import type { Registry } from '#registry/registry-api'
import { createAdmission, type Admission, type AdmissionOptions } from './admission.ts'
import { createDiscoveryFeed, type DiscoveryFeed } from './apply-discovery.ts'
import { createDiscovery } from './discovery.ts'
import type { DiscoverySource } from './found-server.ts'
import { createHttpTools } from './http-tools.ts'
import type { TransportLimits } from './transport.ts'
import { createUpstreams, type Upstreams, type UpstreamsDeps } from './upstreams.ts'

type News = Pick<UpstreamsDeps, 'resourceUpdated' | 'taskChanged' | 'listsChanged'>

export interface OutboundDeps extends News, Pick<UpstreamsDeps, 'log' | 'now' | 'inherited' | 'stdioUser'> {
  readonly registry: Registry
  readonly limits: TransportLimits
  readonly admission: AdmissionOptions
  /** Files that discovery reads lie beside this one or in the data directory. */
  readonly configFile: string | undefined
  readonly toolTimeoutMs: number
}

/** All that leads out of the gateway: MCP servers, plain HTTP APIs, and the rules about where one may go. */
export interface Outbound extends AsyncDisposable {
  readonly upstreams: Upstreams
  readonly admission: Admission
  readonly discovery: DiscoveryFeed
  readonly dispatch: Dispatch
  /** Watches these sources from now on. */
  watch(sources: readonly DiscoverySource[]): void
}

export function openOutbound(deps: OutboundDeps): Outbound {
  const { registry, limits, log } = deps
  const { connectTimeoutMs } = limits
  const admission = createAdmission(deps.admission)
  /** Where the operator's file leads is trusted; the rest is judged at each connection, because names move. */
  const connectFor: UpstreamsDeps['connectFor'] = ({ origin }, read) =>
    origin === 'file' ? { timeout: connectTimeoutMs } : admission.guardedConnector(connectTimeoutMs, read)
  const upstreams = createUpstreams({
    ...deps,
    dataDir: deps.admission.dataDir,
    connectFor,
    upstreams: registry.upstreams.list,
    onUpstreamChange: registry.onUpstreamChange,
    snapshot: registry.catalog.snapshot,
    publishSnapshot: registry.publishSnapshot,
  })
  const httpTools = createHttpTools({
    find: registry.httpTools.find,
    resultBytesMax: limits.messageBytesMax,
    connectFor,
  })
  let sources: readonly DiscoverySource[] = []
  const discovery = createDiscoveryFeed({
    registry,
    discovery: createDiscovery({ log, admission, connectTimeoutMs, allowedDirectories: directoriesOf(deps) }),
    sources: () => sources,
    defaults: deps,
    log,
  })
  return {
    upstreams,
    admission,
    discovery,
    dispatch: (call) => (call.target.tool?.kind === 'http' ? httpTools.run(call) : upstreams.run(call)),
    watch(wanted) {
      sources = wanted
      discovery.start()
    },
    async [Symbol.asyncDispose]() {
      discovery[Symbol.dispose]()
      await Promise.all([upstreams[Symbol.asyncDispose](), httpTools[Symbol.asyncDispose]()])
    },
  }
}

function directoriesOf({ configFile, admission }: OutboundDeps): string[] {
  return configFile === undefined ? [admission.dataDir] : [admission.dataDir, dirname(configFile)]
}
