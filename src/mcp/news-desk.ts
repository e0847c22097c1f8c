import type { JsonObject } from '#kernel/json'
import { editObject } from '#kernel/json-text'
import { META } from '#kernel/protocol'
import { notificationText } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import type { Attendee, Audience } from './audience.ts'
import type { LegacySession } from './legacy-session.ts'
import type { LegacySessions } from './legacy-sessions.ts'
import { CHANGED, SessionSeat, type SeatDeps } from './session-seat.ts'

/** What a modern client wants to hear of (2026-07-28, `subscriptions/listen`). */
export interface ListenFilter {
  readonly toolsListChanged?: true
  readonly promptsListChanged?: true
  readonly resourcesListChanged?: true
  readonly resourceSubscriptions?: readonly string[]
}

/** A client that listens. */
export interface Listener {
  readonly namespace: string | undefined
  readonly principal: Principal
  readonly filter: ListenFilter
  /** The URIs it subscribed to, with the upstream of each. */
  readonly subscriptions: ReadonlyMap<string, string>
  /** Raw text of the id of its listen request. */
  readonly subscriptionIdText: string
  send(text: string): void
  /** Ends the stream: the gateway stops, or the caller may no more listen like this. */
  end(): void
}

/** Tells clients what changed: only those whose own lists did, each in the words of its era. */
export interface NewsDesk extends Disposable {
  /** Until the answer is called. */
  add(listener: Listener): () => void
  /** Until it is forgotten. */
  follow(session: LegacySession): void
  forget(session: LegacySession): void
  /** A resource of an upstream changed. */
  resourceUpdated(upstreamId: string, uri: string, paramsText: string): void
}

const FILTERS = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
} as const

export interface NewsDeps extends SeatDeps {
  readonly audience: Audience
  readonly sessions: LegacySessions
}

export function createNewsDesk(deps: NewsDeps): NewsDesk {
  const { audience, sessions } = deps
  const listeners = new Set<Listener>()
  const followed = new Map<LegacySession, Attendee>()
  return {
    add(listener) {
      const attendee = listening(listener)
      listeners.add(listener)
      audience.add(attendee)
      audience.verify(attendee)
      return () => {
        listeners.delete(listener)
        audience.delete(attendee)
      }
    },
    follow(session) {
      const attendee = new SessionSeat(session, deps)
      followed.set(session, attendee)
      audience.add(attendee)
    },
    forget(session) {
      const attendee = followed.get(session)
      if (attendee) audience.delete(attendee)
      followed.delete(session)
    },
    resourceUpdated(upstreamId, uri, paramsText) {
      const method = 'notifications/resources/updated'
      for (const session of sessions.all()) {
        if (session.subscriptions.get(uri) === upstreamId)
          session.push(notificationText(method, withoutTag(paramsText)))
      }
      for (const listener of listeners) {
        if (listener.subscriptions.get(uri) === upstreamId) listener.send(tagged(listener, method, paramsText))
      }
    },
    [Symbol.dispose]() {
      for (const listener of listeners) listener.end()
      listeners.clear()
    },
  }
}

/** A stream of news ends when its caller may see less: who asks for another one is told what he may have. */
function listening(listener: Listener): Attendee {
  const { namespace, principal, subscriptions, filter } = listener
  const end = (): void => listener.end()
  return {
    namespace,
    principal,
    subscriptions,
    changed(kinds) {
      for (const kind of kinds) if (filter[FILTERS[kind]]) listener.send(tagged(listener, CHANGED[kind], '{}'))
    },
    unsubscribed: end,
    narrowed: end,
    dismissed: end,
  }
}

/** Every message of a listen stream carries the id of its request, with the id's own type. */
export function tagged(
  { subscriptionIdText }: Pick<Listener, 'subscriptionIdText'>,
  method: string,
  paramsText: string,
): string {
  const meta = (JSON.parse(paramsText) as JsonObject)['_meta']
  const metaText = editObject(JSON.stringify(meta ?? {}), { [META.subscriptionId]: subscriptionIdText })
  return notificationText(method, editObject(paramsText, { _meta: metaText }))
}

/** A legacy client does not know the tag of our own listen toward a modern upstream. */
function withoutTag(paramsText: string): string {
  const params = JSON.parse(paramsText) as { _meta?: JsonObject }
  if (params._meta?.[META.subscriptionId] === undefined) return paramsText
  const { [META.subscriptionId]: _tag, ...meta } = params._meta
  return editObject(paramsText, { _meta: Object.keys(meta).length > 0 ? JSON.stringify(meta) : undefined })
}
