import { AppError } from '#kernel/errors'
import { uuidv7 } from '#kernel/ids'
import type { Sealer } from '#kernel/seal'
import { KeyedCounts } from '#kernel/keyed-counts'
import { isSameCaller, type Principal } from '#identity/principal'
import { LegacySession, type LegacyHello } from './legacy-session.ts'

const PURPOSE = 'legacy session'
/** A session that does nothing for this long has been abandoned. */
const IDLE_MS_MAX = 60 * 60_000
const SESSIONS_MAX = 20_000
const SWEEP_MS = 60_000
/** When a client that found no room may look again. */
const RETRY_SECONDS = 30

export interface LegacySessionsDeps {
  readonly sealer: Sealer
  readonly sessionsMax?: number
  readonly idleMsMax?: number
  /** Epoch milliseconds. */
  now(): number
  opened(session: LegacySession): void
  /** A session has ended, however it did. */
  ended(session: LegacySession): void
}

/** All downstream sessions of the legacy era. */
export interface LegacySessions extends Disposable {
  /** Throws `overloaded` when there are as many as there may be and all of them are in use. */
  open(hello: LegacyHello, principal: Principal, namespace: string | undefined): LegacySession
  /** The live session of this id, if it is this principal's and of this endpoint. Anything else is unknown. */
  find(id: string, principal: Principal, namespace: string | undefined): LegacySession | undefined
  end(session: LegacySession): void
  all(): Iterable<LegacySession>
  readonly size: number
}

export function createLegacySessions({
  sealer,
  now,
  opened,
  ended,
  idleMsMax = IDLE_MS_MAX,
  sessionsMax = SESSIONS_MAX,
}: LegacySessionsDeps): LegacySessions {
  const sessions = new Map<string, LegacySession>()
  const nextIdle = createQueues(sessions)
  /** How many sessions each caller has. */
  const held = new KeyedCounts()
  const end = (session: LegacySession): void => {
    if (!sessions.delete(session.id)) return
    held.add(session.principal.id, -1)
    session.end()
    ended(session)
  }
  const sweep = setInterval(
    () => {
      for (const session of sessions.values()) {
        if (!session.isIdle) session.lastUsedAt = now()
        else if (now() - session.lastUsedAt > idleMsMax) end(session)
      }
    },
    Math.min(SWEEP_MS, idleMsMax),
  ).unref()
  return {
    open(hello, principal, namespace) {
      const id = idOf({ principal, namespace, expires: now() + idleMsMax }, sealer)
      const place = namespace === undefined ? {} : { namespace }
      const session = new LegacySession({ ...hello, id, principal, ...place }, now())
      if (sessions.size >= sessionsMax) end(nextIdle(held.most()) ?? allInUse(sessions.size))
      sessions.set(session.id, session)
      held.add(principal.id, 1)
      opened(session)
      return session
    },
    find(id, principal, namespace) {
      const session = sessions.get(id)
      if (!session || !isSameCaller(session.principal, principal) || session.namespace !== namespace) return undefined
      session.lastUsedAt = now()
      // What it may do is asked anew: its roles may have changed since.
      session.principal = principal
      return session
    },
    end,
    all: () => sessions.values(),
    get size() {
      return sessions.size
    },
    [Symbol.dispose]() {
      clearInterval(sweep)
      for (const session of sessions.values()) end(session)
    },
  }
}

interface IdFacts {
  readonly principal: Principal
  readonly namespace: string | undefined
  readonly expires: number
}

/** What the id says is sealed into it, so that another replica can tell an old session from a forged one. */
function idOf({ principal, namespace, expires }: IdFacts, sealer: Sealer): string {
  const facts = { id: uuidv7(), principal: principal.id, key: principal.keyId, namespace, era: 'legacy', expires }
  return sealer.seal(PURPOSE, JSON.stringify(facts))
}

interface Waiting {
  readonly id: string
  readonly since: number
}

/**
 * Finds which session makes room: of the caller who has most the one that was idle longest, or else any that is idle; clients
 * start over on 404. Sorts all of them once for thousands of answers: those in use meanwhile are left out.
 */
function createQueues(
  sessions: ReadonlyMap<string, LegacySession>,
): (holder: string | undefined) => LegacySession | undefined {
  let queues = new Map<string, Waiting[]>()
  const next = (holder = ''): LegacySession | undefined => {
    const queue = queues.get(holder) ?? []
    for (let first = queue.pop(); first; first = queue.pop()) {
      const session = sessions.get(first.id)
      if (session?.isIdle && session.lastUsedAt === first.since) return session
    }
    return undefined
  }
  return (holder) => {
    const known = next(holder)
    if (known) return known
    queues = queuesOf(sessions)
    const [other] = [holder, ...queues.keys()]
      .values()
      .map(next)
      .filter((found) => found !== undefined)
    return other
  }
}

/** By principal, the longest idle last. */
function queuesOf(sessions: ReadonlyMap<string, LegacySession>): Map<string, Waiting[]> {
  const queues = new Map<string, Waiting[]>()
  for (const { id, isIdle, principal, lastUsedAt: since } of sessions.values()) {
    if (!isIdle) continue
    const queue = queues.get(principal.id)
    if (queue) queue.push({ id, since })
    else queues.set(principal.id, [{ id, since }])
  }
  for (const queue of queues.values()) queue.sort((a, b) => b.since - a.since)
  return queues
}

function allInUse(count: number): never {
  const message = `All ${count} sessions that there may be are in use`
  throw new AppError('overloaded', message, { details: { retry_after: RETRY_SECONDS } })
}
