import { Agent } from 'undici'
import { AppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Admission } from './admission.ts'
import { watchSource, type SourceEvents } from './discovery-watch.ts'
import { withVerdicts, type DiscoverySource, type FoundServer } from './found-server.ts'
import { searchRegistry } from './mcp-registry.ts'
import { probeNetwork } from './network-probe.ts'
import { readServers } from './server-files.ts'

export interface DiscoveryDeps {
  /** Files of servers lie here: the configuration file's directory and the data directory. */
  readonly allowedDirectories: readonly string[]
  readonly admission: Pick<Admission, 'admit' | 'guardedConnector'>
  readonly log: Logger
  readonly connectTimeoutMs: number
}

export interface FindOptions {
  /** The operator's file names this source: its registry may be anywhere. What it lists is judged all the same. */
  readonly isConfigured?: boolean
  readonly signal?: AbortSignal
}

/** Looks for servers that nobody registered. */
export interface Discovery {
  /** What a source has now, refused servers with the reason. Rejects with AppError when the source cannot be asked. */
  find(source: DiscoverySource, options?: FindOptions): Promise<FoundServer[]>
  /** Looks at once, whenever a file changes, and from time to time; tells only what differs from the last time. */
  watch(sources: readonly DiscoverySource[], events: SourceEvents): Disposable
}

export function createDiscovery(deps: DiscoveryDeps): Discovery {
  const { admission, allowedDirectories } = deps
  const find: Discovery['find'] = async (source, options = {}) => {
    const signal = options.signal ?? new AbortController().signal
    switch (source.kind) {
      case 'file':
        return withVerdicts(await readServers(source.path, allowedDirectories), admission.admit)
      case 'network':
        return probeNetwork(source, { ...deps, ...admission }, signal)
      case 'registry':
        return withVerdicts(await askRegistry(source, deps, { ...options, signal }), admission.admit)
      default:
        throw new AppError('validation_error', 'A source is a file, a network or a registry')
    }
  }
  return {
    find,
    watch(sources, events) {
      const watches = new DisposableStack()
      for (const source of sources) watches.use(watchSource(source, find, events))
      return watches
    },
  }
}

async function askRegistry(
  source: Extract<DiscoverySource, { kind: 'registry' }>,
  { admission, connectTimeoutMs, log }: DiscoveryDeps,
  { isConfigured, signal }: Required<Pick<FindOptions, 'signal'>> & FindOptions,
): Promise<FoundServer[]> {
  if (!isConfigured) await admission.admit({ endpoint: source.url })
  const connect = isConfigured ? { timeout: connectTimeoutMs } : admission.guardedConnector(connectTimeoutMs)
  const dispatcher = new Agent({ connect, headersTimeout: 0, bodyTimeout: 0 })
  try {
    return await searchRegistry(source, { dispatcher, log }, signal)
  } finally {
    await dispatcher.destroy()
  }
}
