import type { JsonObject } from '#kernel/json'
import { editObject } from '#kernel/json-text'
import { META } from '#kernel/protocol'
import { notificationText } from '#kernel/rpc-message'
import type { Catalog } from '#registry/registry-api'
import type { CatalogChange } from '#registry/catalog-view'
import type { LegacySessions } from './legacy-sessions.ts'

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
  readonly filter: ListenFilter
  /** The URIs it subscribed to, with the upstream of each. */
  readonly subscriptions: ReadonlyMap<string, string>
  /** Raw text of the id of its listen request. */
  readonly subscriptionIdText: string
  send(text: string): void
  /** The gateway stops. */
  end(): void
}

/** Tells clients what changed: only those whose own lists did, each in the words of its era. */
export interface NewsDesk extends Disposable {
  add(listener: Listener): void
  delete(listener: Listener): void
  /** A resource of an upstream changed. */
  resourceUpdated(upstreamId: string, uri: string, paramsText: string): void
}

const KINDS = [
  { changed: 'tools', filter: 'toolsListChanged', method: 'notifications/tools/list_changed' },
  { changed: 'prompts', filter: 'promptsListChanged', method: 'notifications/prompts/list_changed' },
  { changed: 'resources', filter: 'resourcesListChanged', method: 'notifications/resources/list_changed' },
] as const

export function createNewsDesk(catalog: Catalog, sessions: LegacySessions): NewsDesk {
  const listeners = new Set<Listener>()
  const stop = catalog.onChange((change) => {
    for (const { changed, filter, method } of KINDS) if (change[changed]) tell(change, filter, method)
  })
  function tell(change: CatalogChange, filter: (typeof KINDS)[number]['filter'], method: string): void {
    for (const session of sessions.all())
      if (session.namespace === change.namespace) session.push(notificationText(method))
    for (const listener of listeners) {
      if (listener.namespace === change.namespace && listener.filter[filter])
        listener.send(tagged(listener, method, '{}'))
    }
  }
  return {
    add: (listener) => void listeners.add(listener),
    delete: (listener) => void listeners.delete(listener),
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
      stop()
      for (const listener of listeners) listener.end()
      listeners.clear()
    },
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
