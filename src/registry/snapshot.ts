import type { JsonObject } from '#kernel/json'
import type { Era } from './records.ts'

/** What the probe found out, and when: a verdict ages, because servers are upgraded behind our back. */
export interface EraVerdict {
  readonly era: Era
  readonly protocolVersion: string
  /** Epoch milliseconds. */
  readonly probedAt: number
}

/** One tool, resource, template or prompt: its key (name, URI or URI template) and its definition as the upstream wrote it. */
export interface PrimitiveText {
  readonly key: string
  readonly text: string
}

/** An upstream's last good lists. Kept in storage and served at the next start before anything is connected. */
export interface UpstreamSnapshot {
  readonly upstreamId: string
  /** Epoch milliseconds. */
  readonly fetchedAt: number
  readonly verdict: EraVerdict
  readonly capabilities: JsonObject
  /** Raw text of serverInfo. */
  readonly serverInfoText?: string
  readonly instructions?: string
  readonly tools: readonly PrimitiveText[]
  readonly resources: readonly PrimitiveText[]
  readonly templates: readonly PrimitiveText[]
  readonly prompts: readonly PrimitiveText[]
  /** Caching hints of a modern upstream: the smallest ttl of its lists, private when any list was. */
  readonly ttlMs?: number
  readonly cacheScope?: 'public' | 'private'
}

/** Whether two snapshots offer the same; when they were fetched does not count. */
export function sameSnapshot(a: UpstreamSnapshot, b: UpstreamSnapshot): boolean {
  const comparable = (snapshot: UpstreamSnapshot): string =>
    JSON.stringify({ ...snapshot, fetchedAt: 0, verdict: { ...snapshot.verdict, probedAt: 0 } })
  return comparable(a) === comparable(b)
}
