import { setImmediate as breath } from 'node:timers/promises'
import type { VisibleViews } from '#gateway/visible-views'
import type { Authenticator } from '#identity/authenticate'
import type { Principal } from '#identity/principal'
import { messageOf } from '#kernel/errors'
import { inTurn } from '#kernel/in-turn'
import type { Logger } from '#kernel/logger'
import { Roster, type Listed } from '#kernel/roster'
import type { Catalog } from '#registry/registry-api'
import type { EventStream } from './event-stream.ts'
import { differences, shownOf, type ListKind, type Shown } from './shown.ts'

/** After so long in one go others have their turn. */
const TURN_MS = 5
const RETRY_MS = 500

/** Something that stays open for a caller: a session, a stream. */
export interface Attendee extends Listed {
  readonly namespace: string | undefined
  /** The caller, as its credential was verified last. */
  principal: Principal
  /** What its lists said when it was told last. */
  shown?: Shown | undefined
  /** The URIs it wants to hear of, with the upstream of each. */
  readonly subscriptions: { readonly size: number; entries(): Iterable<readonly [uri: string, upstreamId: string]> }
  /** These lists say something else to its caller. */
  changed(kinds: readonly ListKind[]): void
  /** Of these resources its caller may hear no more. */
  unsubscribed(uris: readonly string[]): void
  /** Its caller sees nothing more of an upstream that is still there: what it listens to has to begin anew. */
  narrowed(): void
  /** The credential of its caller was withdrawn. */
  dismissed(): void
}

/** All that stays open for callers: who may no more is gone at once, and each hears of what changed for him. */
export interface Audience extends Disposable {
  add(attendee: Attendee): void
  delete(attendee: Attendee): void
  /** Asks once more: between its request and now its credential may have been withdrawn. */
  verify(attendee: Attendee): void
}

/** A stream that ends with the credential by which it was opened; all else is the matter of its session. */
export function streamOf(principal: Principal, stream: EventStream): Attendee {
  return { namespace: undefined, principal, subscriptions: NONE, ...SILENT, dismissed: () => stream.end() }
}

const NONE: ReadonlyMap<string, string> = new Map()
const SILENT = { changed: nothing, unsubscribed: nothing, narrowed: nothing }
function nothing(): void {}

export interface AudienceDeps {
  readonly catalog: Catalog
  readonly views: Pick<VisibleViews, 'view' | 'onRules' | 'mayUseResource'>
  readonly identity: Pick<Authenticator, 'again' | 'onDoubt'>
  readonly log: Logger
}

export function createAudience(deps: AudienceDeps): Audience {
  const attendees = new Roster<Attendee>()
  const look = inTurn(async () => {
    let turnAt = performance.now()
    for (const each of attendees.all()) {
      if (each.place !== undefined) consider(deps, each)
      if (performance.now() - turnAt < TURN_MS) continue
      await breath()
      turnAt = performance.now()
    }
  })
  const doubts = createDoubts(deps)
  const stops = [
    deps.catalog.onChange(() => void look()),
    deps.views.onRules(() => void look()),
    deps.identity.onDoubt((isMeant) => doubts.add(attendees.all().filter(({ principal }) => isMeant(principal)))),
  ]
  return {
    add(attendee) {
      const view = deps.views.view(attendee.principal, attendee.namespace)
      attendee.shown = view && shownOf(view)
      attendees.add(attendee)
    },
    delete: (attendee) => attendees.delete(attendee),
    verify: (attendee) => doubts.add([attendee]),
    [Symbol.dispose]() {
      for (const stop of stops) stop()
      doubts[Symbol.dispose]()
    },
  }
}

/** Those whose credentials are asked about. While the storage does not answer they stay, and are asked about again. */
function createDoubts(deps: AudienceDeps) {
  const unsure = new Set<Attendee>()
  let retry: NodeJS.Timeout | undefined
  const ask = inTurn(async () => {
    const answers = new Map<Principal, Promise<Principal | undefined>>()
    for (const each of unsure) {
      try {
        await verify(deps, each, answers)
        unsure.delete(each)
      } catch (thrown) {
        deps.log.warn({ error: messageOf(thrown) }, 'credential of an open stream could not be verified again')
        retry = setTimeout(() => void ask(), RETRY_MS).unref()
        return
      }
    }
  })
  return {
    add(meant: readonly Attendee[]) {
      if (meant.length === 0) return
      for (const each of meant) unsure.add(each)
      void ask()
    },
    [Symbol.dispose]() {
      unsure.clear()
      clearTimeout(retry)
    },
  }
}

type Answers = Map<Principal, Promise<Principal | undefined>>

async function verify(deps: AudienceDeps, attendee: Attendee, answers: Answers): Promise<void> {
  const { principal } = attendee
  const asked = answers.get(principal) ?? deps.identity.again(principal)
  answers.set(principal, asked)
  const now = await asked
  if (attendee.place === undefined) return
  // Its caller has come again meanwhile, perhaps with another credential.
  if (attendee.principal !== principal) return verify(deps, attendee, answers)
  if (now === undefined) return attendee.dismissed()
  attendee.principal = now
  consider(deps, attendee)
}

function consider(deps: AudienceDeps, attendee: Attendee): void {
  const { shown: before, namespace, principal } = attendee
  const view = deps.views.view(principal, namespace)
  const after = view && shownOf(view)
  attendee.shown = after
  const kinds = after ? differences(before, after) : []
  if (kinds.length > 0) attendee.changed(kinds)
  const gone = forbidden(deps, attendee)
  if (gone.length > 0) attendee.unsubscribed(gone)
  if (before && hasLost(deps, before, after, namespace)) attendee.narrowed()
}

/** Whether something that is still there is hidden since. */
function hasLost(
  { catalog }: AudienceDeps,
  before: Shown,
  after: Shown | undefined,
  namespace: string | undefined,
): boolean {
  if (!after) return true
  if (before === after) return false
  const whole = catalog.view(namespace)
  return [...before.upstreams].some((id) => !after.upstreams.has(id) && whole && shownOf(whole).upstreams.has(id))
}

function forbidden({ catalog, views }: AudienceDeps, { subscriptions, principal, namespace }: Attendee): string[] {
  if (subscriptions.size === 0) return []
  const servers = new Map(catalog.view()?.upstreams.map(({ upstreamId, server }) => [upstreamId, server]))
  return [...subscriptions.entries()].flatMap(([uri, upstreamId]) => {
    const server = servers.get(upstreamId)
    return server === undefined || views.mayUseResource(principal, uri, { server, namespace }) ? [] : [uri]
  })
}
