import { messageOf, type AppError } from '#kernel/errors'
import { isJsonObject } from '#kernel/json'
import { pause } from '#kernel/pause'
import type { RpcNotification } from '#kernel/rpc-message'
import { modernHeaders, ownClaim } from './codec.ts'
import type { ListKind } from './drain.ts'
import type { UpstreamSession } from './session.ts'
import { isUnreachable } from './unreachable.ts'

const RELISTEN_MS = 1000

/** What an upstream tells outside of calls. */
export interface NewsEvents {
  listsChanged(session: UpstreamSession, kinds: readonly ListKind[]): void
  resourceUpdated(uri: string, paramsText: string): void
  taskChanged(paramsText: string): void
  /** Nobody is there any more where the session's server was. */
  unreachable(error: AppError): void
  /** Log messages that belong to nobody. */
  log(text: string): void
}

const CHANGED: Readonly<Record<string, readonly ListKind[]>> = {
  'notifications/tools/list_changed': ['tools'],
  'notifications/prompts/list_changed': ['prompts'],
  'notifications/resources/list_changed': ['resources', 'templates'],
}

/** Sorts one notification that belongs to no call. */
export function takeNews(
  session: UpstreamSession,
  notification: Pick<RpcNotification, 'method' | 'paramsText'>,
  events: NewsEvents,
): void {
  const { method, paramsText } = notification
  const kinds = Object.hasOwn(CHANGED, method) ? CHANGED[method] : undefined
  if (kinds) events.listsChanged(session, kinds)
  else if (method === 'notifications/resources/updated') {
    const { uri } = JSON.parse(paramsText) as { uri?: unknown }
    if (typeof uri === 'string') events.resourceUpdated(uri, paramsText)
  } else if (method === 'notifications/tasks/status') events.taskChanged(paramsText)
  else events.log(`${method} ${paramsText}`)
}

type Verb = 'subscribe' | 'unsubscribe'

/** Holds the resource subscriptions of all clients together as one toward the upstream. */
export interface Subscriptions {
  add(uri: string): Promise<void>
  remove(uri: string): Promise<void>
  /** One more session: what a call changes there, a legacy server tells there alone, so it has to know the URIs, too. */
  join(session: UpstreamSession): void
  /** The session that has joined is the first: from now on a refusal of its server is the subscriber's. */
  resume(session: UpstreamSession): void
  stop(): void
}

/** Legacy servers take each URI by request; modern ones one long `subscriptions/listen` that is replaced when the URIs change. */
export function createSubscriptions(events: NewsEvents): Subscriptions {
  const counts = new Map<string, number>()
  const others = new Set<UpstreamSession>()
  let session: UpstreamSession | undefined
  let listening: AbortController | undefined

  const listen = (to: UpstreamSession): void => {
    const before = listening
    const controller = new AbortController()
    listening = controller
    void keepListening(to, [...counts.keys()], controller.signal, events)
    before?.abort()
  }
  const mirror = (to: UpstreamSession, verb: Verb, uri: string): void => {
    if (!to.isOpen) others.delete(to)
    else request(to, verb, uri).catch((error: unknown) => events.log(`${verb} ${uri} failed: ${messageOf(error)}`))
  }
  const tell = async (verb: Verb, uri: string): Promise<void> => {
    for (const other of others) mirror(other, verb, uri)
    if (!session?.isOpen) return
    if (session.agreement.era === 'modern') listen(session)
    else await request(session, verb, uri)
  }
  return {
    async add(uri) {
      const count = counts.get(uri) ?? 0
      counts.set(uri, count + 1)
      if (count > 0) return
      try {
        await tell('subscribe', uri)
      } catch (error) {
        counts.delete(uri)
        throw error
      }
    },
    async remove(uri) {
      const count = counts.get(uri) ?? 0
      if (count > 1) counts.set(uri, count - 1)
      else if (counts.delete(uri)) await tell('unsubscribe', uri)
    },
    join(to) {
      if (to.agreement.era === 'modern') return
      others.add(to)
      for (const uri of counts.keys()) mirror(to, 'subscribe', uri)
    },
    resume(to) {
      session = to
      others.delete(to)
      if (to.agreement.era === 'modern') listen(to)
    },
    stop() {
      listening?.abort()
      others.clear()
      session = undefined
    },
  }
}

function request(to: UpstreamSession, verb: Verb, uri: string): Promise<unknown> {
  return to.request({ method: `resources/${verb}`, params: () => JSON.stringify({ uri }) })
}

/** A server may end a listen at any time; as long as the session lives we ask again. */
async function keepListening(
  session: UpstreamSession,
  uris: string[],
  signal: AbortSignal,
  events: NewsEvents,
): Promise<void> {
  const notifications = listenFilter(session, uris)
  if (Object.keys(notifications).length === 0) return
  const heard = (method: string, paramsText: string): void => {
    if (method !== 'notifications/subscriptions/acknowledged') takeNews(session, { method, paramsText }, events)
  }
  while (session.isOpen && !signal.aborted) {
    try {
      await session.request({
        method: 'subscriptions/listen',
        params: () => JSON.stringify({ notifications, _meta: ownClaim() }),
        headers: modernHeaders('subscriptions/listen', undefined),
        listen: heard,
        signal,
      })
    } catch (error) {
      if (signal.aborted || !session.isOpen) return
      if (isUnreachable(error)) events.unreachable(error)
      events.log(`listening for changes ended: ${messageOf(error)}`)
    }
    await pause(RELISTEN_MS, signal)
  }
}

function listenFilter(session: UpstreamSession, uris: string[]): Record<string, unknown> {
  const { capabilities } = session.agreement
  const tells = (kind: string): boolean =>
    isJsonObject(capabilities[kind]) && capabilities[kind]['listChanged'] === true
  return {
    ...(tells('tools') ? { toolsListChanged: true } : {}),
    ...(tells('prompts') ? { promptsListChanged: true } : {}),
    ...(tells('resources') ? { resourcesListChanged: true } : {}),
    ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
  }
}
