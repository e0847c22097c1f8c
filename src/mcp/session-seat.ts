import { notificationText } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import type { Attendee } from './audience.ts'
import type { LegacySession } from './legacy-session.ts'
import type { LegacySessions } from './legacy-sessions.ts'
import type { McpDeps } from './mcp-deps.ts'
import type { ListKind, Shown } from './shown.ts'

/** How clients of both eras are told that a list changed. */
export const CHANGED = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
} as const

export interface SeatDeps extends Pick<McpDeps, 'unsubscribe'> {
  readonly sessions: Pick<LegacySessions, 'end'>
}

/** A legacy session in the audience. It goes on without what its caller may no more see; its stream begins anew. */
export class SessionSeat implements Attendee {
  readonly #session: LegacySession
  readonly #deps: SeatDeps
  shown: Shown | undefined
  place: number | undefined

  constructor(session: LegacySession, deps: SeatDeps) {
    this.#session = session
    this.#deps = deps
  }

  get namespace(): string | undefined {
    return this.#session.namespace
  }

  get subscriptions(): Attendee['subscriptions'] {
    return this.#session.subscriptions
  }

  get principal(): Principal {
    return this.#session.principal
  }

  set principal(principal: Principal) {
    this.#session.principal = principal
  }

  changed(kinds: readonly ListKind[]): void {
    for (const kind of kinds) this.#session.push(notificationText(CHANGED[kind]))
  }

  unsubscribed(uris: readonly string[]): void {
    const { subscriptions } = this.#session
    for (const uri of uris) {
      const upstreamId = subscriptions.get(uri)
      if (subscriptions.delete(uri) && upstreamId !== undefined)
        void this.#deps.unsubscribe(upstreamId, uri).catch(() => undefined)
    }
  }

  narrowed(): void {
    this.#session.endStream()
  }

  dismissed(): void {
    this.#deps.sessions.end(this.#session)
  }
}
