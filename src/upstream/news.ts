import { messageOf } from '#kernel/errors'
import { isJsonObject } from '#kernel/json'
import type { RpcNotification } from '#kernel/rpc-message'
import { modernHeaders, ownClaim } from './codec.ts'
import type { ListKind } from './drain.ts'
import type { UpstreamSession } from './session.ts'

const RELISTEN_MS = 1000

/** What an upstream tells outside of calls. */
export interface NewsEvents {
  listsChanged(session: UpstreamSession, kinds: readonly ListKind[]): void
  resourceUpdated(uri: string, paramsText: string): void
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
  const kinds = CHANGED[method]
  if (kinds) events.listsChanged(session, kinds)
  else if (method === 'notifications/resources/updated') {
    const { uri } = JSON.parse(paramsText) as { uri?: unknown }
    if (typeof uri === 'string') events.resourceUpdated(uri, paramsText)
  } else events.log(`${method} ${paramsText}`)
}

/** Holds the resource subscriptions of all clients together as one toward the upstream. */
export interface Subscriptions {
  add(uri: string): Promise<void>
  remove(uri: string): Promise<void>
  /** A new session: says everything again. */
  resume(session: UpstreamSession): Promise<void>
  stop(): void
}

/** Legacy servers take each URI by request; modern ones one long `subscriptions/listen` that is replaced when the URIs change. */
export function createSubscriptions(events: NewsEvents): Subscriptions {
  const counts = new Map<string, number>()
  let session: UpstreamSession | undefined
  let listening: AbortController | undefined

  const listen = (to: UpstreamSession): void => {
    const before = listening
    const controller = new AbortController()
    listening = controller
    void keepListening(to, [...counts.keys()], controller.signal, events)
    before?.abort()
  }
  const tell = async (verb: 'subscribe' | 'unsubscribe', uri: string): Promise<void> => {
    if (!session?.isOpen) return
    if (session.agreement.era === 'modern') listen(session)
    else await session.request({ method: `resources/${verb}`, params: () => JSON.stringify({ uri }) })
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
    async resume(to) {
      session = to
      if (to.agreement.era === 'modern') listen(to)
      else {
        for (const uri of counts.keys()) {
          await tell('subscribe', uri).catch((error: unknown) =>
            events.log(`subscribing ${uri} again failed: ${messageOf(error)}`),
          )
        }
      }
    },
    stop() {
      listening?.abort()
      session = undefined
    },
  }
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

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise.finally(() => clearTimeout(timer))
}
