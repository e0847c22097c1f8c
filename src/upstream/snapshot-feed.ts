import { messageOf, UpstreamRpcError } from '#kernel/errors'
import type { UpstreamSnapshot } from '#registry/snapshot'
import { drainList, LIST_KINDS, type DrainedList, type ListKind } from './drain.ts'
import type { UpstreamSession } from './session.ts'

/** A burst of list_changed is one change. Short, because a client may list right after the call that changed the list. */
const DEBOUNCE_MS = 25

export interface SnapshotFeedDeps {
  readonly upstreamId: string
  /** Epoch milliseconds. */
  now(): number
  publish(snapshot: UpstreamSnapshot): Promise<void>
  log(text: string): void
  failed(message: string): void
}

type Lists = Record<ListKind, DrainedList>

/** Keeps an upstream's snapshot in step with the upstream. */
export interface SnapshotFeed {
  /**
   * Fetches everything and publishes it; answers what a server that is otherwise well refused to list.
   * Rejects when the server cannot be talked to; what was published before stays.
   */
  refresh(session: UpstreamSession): Promise<string[]>
  /** Some lists changed: fetches those soon. */
  changed(session: UpstreamSession, kinds: readonly ListKind[]): void
  stop(): void
}

export function createSnapshotFeed(deps: SnapshotFeedDeps): SnapshotFeed {
  let lists: Lists | undefined
  let stale = new Set<ListKind>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()

  const fetch = async (session: UpstreamSession, kinds: Iterable<ListKind>): Promise<string[]> => {
    const problems: string[] = []
    const drain = async (kind: ListKind): Promise<[ListKind, DrainedList]> => {
      try {
        return [kind, await drainList(session, kind, deps.log)]
      } catch (error) {
        if (!(error instanceof UpstreamRpcError)) throw error
        problems.push(`It does not list its ${kind}: ${error.message}`)
        return [kind, lists?.[kind] ?? { items: [] }]
      }
    }
    lists = { ...lists, ...Object.fromEntries(await Promise.all([...kinds].map(drain))) } as Lists
    await deps.publish(snapshotOf(deps, session, lists))
    return problems
  }
  /** One after the other: an older answer must not overwrite a newer one. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = running.then(work, work)
    running = result.catch(() => undefined)
    return result
  }
  const catchUp = (session: UpstreamSession): void => {
    timer = undefined
    const kinds = lists ? stale : LIST_KINDS
    stale = new Set()
    const report = (problem: string): void => {
      if (session.isOpen) deps.failed(`Its lists changed and could not be fetched: ${problem}`)
    }
    inTurn(() => fetch(session, kinds)).then(
      (problems) => problems.forEach(report),
      (error: unknown) => report(messageOf(error)),
    )
  }
  return {
    refresh: (session) => inTurn(() => fetch(session, LIST_KINDS)),
    changed(session, kinds) {
      for (const kind of kinds) stale.add(kind)
      timer ??= setTimeout(() => catchUp(session), DEBOUNCE_MS)
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}

function snapshotOf(deps: SnapshotFeedDeps, session: UpstreamSession, lists: Lists): UpstreamSnapshot {
  const { era, protocolVersion, capabilities, serverInfoText, instructions } = session.agreement
  const ttls = LIST_KINDS.map((kind) => lists[kind].ttlMs).filter((ttl) => ttl !== undefined)
  const scopes = LIST_KINDS.map((kind) => lists[kind].cacheScope)
  return {
    upstreamId: deps.upstreamId,
    fetchedAt: deps.now(),
    verdict: { era, protocolVersion, probedAt: deps.now() },
    capabilities,
    ...(serverInfoText === undefined ? {} : { serverInfoText }),
    ...(instructions === undefined ? {} : { instructions }),
    tools: lists.tools.items,
    prompts: lists.prompts.items,
    resources: lists.resources.items,
    templates: lists.templates.items,
    ...(ttls.length > 0 ? { ttlMs: Math.min(...ttls) } : {}),
    ...(scopes.includes('private') ? { cacheScope: 'private' as const } : {}),
    ...(!scopes.includes('private') && scopes.includes('public') ? { cacheScope: 'public' as const } : {}),
  }
}
