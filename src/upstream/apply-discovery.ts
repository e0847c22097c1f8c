import { AppError, messageOf, toAppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { digest } from '#kernel/seal'
import type { Connection, UpstreamRecord } from '#registry/records'
import type { Registry, UpstreamDraft } from '#registry/registry-api'
import type { Discovery } from './discovery.ts'
import type { DiscoverySource, FoundServer } from './found-server.ts'

const MAX_CONCURRENCY = 64
const PREFIX_LENGTH_MAX = 40

export interface DiscoveryFeedDeps {
  readonly registry: Pick<Registry, 'upstreams'>
  readonly discovery: Discovery
  /** Those that the configuration names now. */
  sources(): readonly DiscoverySource[]
  readonly defaults: { readonly toolTimeoutMs: number }
  readonly log: Logger
}

/** What became of one server that was found. */
interface Discovered {
  name: string
  transport: string
  registered: boolean
  reason: string | null
}

/** Registers what discovery finds. Only servers that came from a file leave with it: others may just be switched off. */
export interface DiscoveryFeed extends Disposable {
  /** Begins to watch the configured sources; again after the configuration changed. */
  start(): void
  /** Looks now, in one place or in all that the configuration names. Rejects with AppError when that one cannot be asked. */
  discover(source?: DiscoverySource): Promise<Discovered[]>
}

export function createDiscoveryFeed(deps: DiscoveryFeedDeps): DiscoveryFeed {
  const { discovery, log } = deps
  let watches: Disposable | undefined
  let queue: Promise<unknown> = Promise.resolve()
  /** One after the other: two finds of one server at once make one record. */
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const done = queue.then(task)
    queue = done.catch(() => undefined)
    return done
  }
  const apply = (found: readonly FoundServer[], source: DiscoverySource, sourceId: string | undefined) =>
    inTurn(() => applyFound(deps, { found, source, sourceId }))
  const lookInto = async (source: DiscoverySource, sourceId: string): Promise<Discovered[]> => {
    try {
      return await apply(await discovery.find(source, { isConfigured: true }), source, sourceId)
    } catch (error) {
      return [{ name: nameOf(source), transport: source.kind, registered: false, reason: toAppError(error).message }]
    }
  }
  return {
    start() {
      watches?.[Symbol.dispose]()
      const sources = deps.sources()
      void inTurn(() => removeOrphans(deps, sources)).catch((error: unknown) =>
        log.error({ error: messageOf(error) }, 'discovered servers could not be removed'),
      )
      watches = discovery.watch(sources, {
        async everyFound(found, source) {
          for (const { name, refused } of found)
            if (refused !== undefined) log.warn({ server: name, reason: refused }, 'discovered server refused')
          await apply(found, source, idOf(source))
        },
        onError: (error, source) =>
          log.warn(
            { source: nameOf(source), error: messageOf(error) },
            'discovery failed; what was found before stays',
          ),
      })
    },
    async discover(source) {
      if (source) return apply(await discovery.find(source), source, undefined)
      const all = await Promise.all(deps.sources().map((each) => lookInto(each, idOf(each))))
      return all.flat()
    },
    [Symbol.dispose]: () => watches?.[Symbol.dispose](),
  }
}

/** Kept with a record as its file's digest: says after a restart from which source it came. */
function idOf(source: DiscoverySource): string {
  return `discovery:${digest(JSON.stringify(source))}`
}

function nameOf(source: DiscoverySource): string {
  if (source.kind === 'network') return `${source.hosts.join(',')}:${source.ports.join(',')}`
  return source.kind === 'file' ? source.path : source.url
}

interface Round {
  readonly found: readonly FoundServer[]
  readonly source: DiscoverySource
  /** Undefined for a source that somebody asked for once. */
  readonly sourceId: string | undefined
}

async function applyFound(deps: DiscoveryFeedDeps, round: Round): Promise<Discovered[]> {
  const { registry, log } = deps
  for (const record of vanished(registry.upstreams.list(), round)) {
    await registry.upstreams.remove(record.id)
    log.info({ server: record.name }, 'discovered server is gone from its file and was removed')
  }
  const outcomes: Discovered[] = []
  for (const server of round.found) outcomes.push(await applyOne(deps, server, round))
  return outcomes
}

function vanished(records: readonly UpstreamRecord[], { found, source, sourceId }: Round): UpstreamRecord[] {
  // While an entry cannot be read nobody knows what it would have named.
  if (source.kind !== 'file' || sourceId === undefined || found.some(({ connection }) => !connection)) return []
  const present = new Set(found.filter(({ refused }) => refused === undefined).map(({ name }) => name))
  return records.filter(({ origin, fileDigest, name }) => isOf(sourceId, { origin, fileDigest }) && !present.has(name))
}

function isOf(sourceId: string, record: { readonly origin: string; readonly fileDigest: string | undefined }): boolean {
  return record.origin === 'discovery' && record.fileDigest === sourceId
}

async function applyOne(deps: DiscoveryFeedDeps, server: FoundServer, round: Round): Promise<Discovered> {
  const { name, connection } = server
  const outcome = (registered: boolean, reason: string | null): Discovered => ({
    name,
    transport: transportOf(connection),
    registered,
    reason,
  })
  if (server.refused !== undefined || !connection) return outcome(false, server.refused ?? 'It has no address')
  try {
    const known = deps.registry.upstreams.list().find((record) => record.name === name)
    if (known) return outcome(false, await updateKnown(deps, known, { connection, sourceId: round.sourceId }))
    const draft = draftOf(server, connection, deps.defaults.toolTimeoutMs)
    const isTrusted = round.source.kind !== 'registry' || connection.kind === 'http'
    await deps.registry.upstreams.register({ ...draft, enabled: isTrusted }, 'discovery', round.sourceId)
    deps.log.info({ server: name, transport: transportOf(connection) }, 'discovered server registered')
    return outcome(
      true,
      isTrusted ? null : 'It is disabled until somebody enables it: it downloads a package and runs it',
    )
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return outcome(false, error.message)
  }
}

/** The reason why nothing new was registered. */
async function updateKnown(
  { registry }: DiscoveryFeedDeps,
  known: UpstreamRecord,
  { connection, sourceId }: { readonly connection: Connection; readonly sourceId: string | undefined },
): Promise<string> {
  const isSame = JSON.stringify(known.connection) === JSON.stringify(connection)
  if (isSame) return 'It is registered already'
  if (sourceId === undefined || !isOf(sourceId, { origin: known.origin, fileDigest: known.fileDigest }))
    return 'Another server of this name is there already'
  await registry.upstreams.update(known.id, { connection })
  return 'It was registered already and leads to the new place now'
}

function draftOf(server: FoundServer, connection: Connection, timeoutMs: number): UpstreamDraft {
  return {
    name: server.name,
    connection,
    prefix: server.name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(-PREFIX_LENGTH_MAX),
    enabled: true,
    era: 'auto',
    start: 'lazy',
    share: 'auto',
    timeoutMs,
    maxConcurrency: MAX_CONCURRENCY,
    ...(server.description === undefined ? {} : { description: server.description }),
  }
}

function transportOf(connection: Connection | undefined): string {
  if (!connection) return 'unknown'
  return connection.kind === 'stdio' ? 'stdio' : connection.transport
}

/** Sources that the configuration names no more take their servers with them. */
async function removeOrphans({ registry }: DiscoveryFeedDeps, sources: readonly DiscoverySource[]): Promise<void> {
  const ids = new Set(sources.map(idOf))
  for (const { id, origin, fileDigest } of registry.upstreams.list()) {
    const isOrphan = origin === 'discovery' && fileDigest !== undefined && !ids.has(fileDigest)
    if (isOrphan) await registry.upstreams.remove(id)
  }
}
