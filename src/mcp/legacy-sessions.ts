import { uuidv7 } from '#kernel/ids'
import type { Sealer } from '#kernel/seal'
import { isSameCaller, type Principal } from '#identity/principal'
import { LegacySession, type LegacyHello } from './legacy-session.ts'

const PURPOSE = 'legacy session'
/** A session that does nothing for this long has been abandoned. */
const IDLE_MS_MAX = 60 * 60_000
const SESSIONS_MAX = 20_000
const SWEEP_MS = 60_000

export interface LegacySessionsDeps {
  readonly sealer: Sealer
  readonly sessionsMax?: number
  readonly idleMsMax?: number
  /** Epoch milliseconds. */
  now(): number
  /** A session has ended, however it did. */
  ended(session: LegacySession): void
}

/** All downstream sessions of the legacy era. */
export interface LegacySessions extends Disposable {
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
  ended,
  idleMsMax = IDLE_MS_MAX,
  sessionsMax = SESSIONS_MAX,
}: LegacySessionsDeps): LegacySessions {
  const sessions = new Map<string, LegacySession>()
  const nextIdle = createQueue(sessions)
  const end = (session: LegacySession): void => {
    if (!sessions.delete(session.id)) return
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
      // What the id says is sealed into it, so that another replica can tell an old session from a forged one.
      const facts = {
        id: uuidv7(),
        principal: principal.id,
        key: principal.keyId,
        namespace,
        era: 'legacy',
        expires: now() + idleMsMax,
      }
      const options = { ...hello, id: sealer.seal(PURPOSE, JSON.stringify(facts)), principal }
      const session = new LegacySession({ ...options, ...(namespace === undefined ? {} : { namespace }) }, now())
      // The one that was idle longest makes room: clients start over on 404.
      const oldest = sessions.size >= sessionsMax ? nextIdle() : undefined
      if (oldest) end(oldest)
      sessions.set(session.id, session)
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

interface Waiting {
  readonly id: string
  readonly since: number
}

/** Finds the session that was idle longest. Sorts all of them once for thousands of answers: those in use meanwhile are left out. */
function createQueue(sessions: ReadonlyMap<string, LegacySession>): () => LegacySession | undefined {
  let queue: Waiting[] = []
  const next = (): LegacySession | undefined => {
    for (let first = queue.pop(); first; first = queue.pop()) {
      const session = sessions.get(first.id)
      if (session?.isIdle && session.lastUsedAt === first.since) return session
    }
    return undefined
  }
  return () => {
    const known = next()
    if (known) return known
    const idle = [...sessions.values()].filter((session) => session.isIdle)
    queue = idle.map(({ id, lastUsedAt: since }) => ({ id, since })).sort((a, b) => b.since - a.since)
    return next()
  }
}
