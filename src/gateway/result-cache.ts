import type { Broadcast } from '#kernel/broadcast'
import { toAppError } from '#kernel/errors'
import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json'
import type { Logger } from '#kernel/logger'
import type { CacheSelector } from '#resilience/cache-key'
import { createCache, type Cache, type CacheStats, type Found } from '#resilience/cache'
import { createJointRemoval } from '#resilience/joint-removal'
import type { Retention } from '#resilience/kept-values'
import { createSecondLevel, type SecondLevelStats, type SharedTexts } from '#resilience/second-level'
import type { CallResult, RoutedCall, TargetCache } from './call.ts'
import { readKept } from './kept-text.ts'

/** A result; the view of its text is made anew each time that it is given again. */
export type KeptResult = Omit<CallResult, 'value' | 'cached'> & { readonly value?: JsonObject | undefined }

/** Results of read-only tools. The only cache of results. */
export interface ResultCache extends Disposable {
  readonly cache: Cache<KeptResult, RoutedCall>
  /** Whether the operator wants any. */
  readonly isEnabled: boolean
  /** Removes what is selected, in all gateways of the deployment; answers how many results that were. */
  remove(selector: CacheSelector): Promise<number>
  /** What it does may be another thing from now on. */
  forgetServer(server: { readonly name: string }): void
  stats(): CacheStats & { readonly second: SecondLevelStats | undefined }
}

export interface ResultCacheDeps {
  readonly enabled: boolean
  readonly bytesMax: number
  /** Where gateways keep results together; undefined for one that is alone. */
  readonly texts: SharedTexts | undefined
  readonly broadcast: Broadcast
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

export function createResultCache(deps: ResultCacheDeps): ResultCache {
  const { enabled, bytesMax, texts, broadcast, log, now } = deps
  const second = texts && createSecondLevel<KeptResult>({ texts, write: JSON.stringify, read: readKept, now })
  const cache = createCache<KeptResult, RoutedCall>({
    bytesMax,
    bytesOf,
    now,
    second,
    refreshFailed: (key, thrown) => {
      const { code, message } = toAppError(thrown)
      log.warn({ key, code, error: message }, 'kept result could not be got anew')
    },
  })
  const removal = createJointRemoval({ cache, second, broadcast })
  const { remove } = removal
  return {
    cache,
    isEnabled: enabled,
    remove,
    forgetServer: ({ name }) => void remove({ tag: `server:${name}` }),
    stats: () => ({ ...cache.stats(), second: second?.stats() }),
    [Symbol.dispose]() {
      removal[Symbol.dispose]()
      cache[Symbol.dispose]()
    },
  }
}

/** A kept result as the answer to this call, marked as what it is. */
export function givenAgain({ value: kept, ageMs, isStale }: Found<KeptResult>, { notes }: RoutedCall): CallResult {
  notes.cached = { ageMs, isStale }
  return { ...kept, value: kept.value ?? (JSON.parse(kept.text) as JsonObject), cached: notes.cached }
}

/** What is kept of a result, and how long. Undefined for one that is not to be given again. */
export function keepOf(
  result: KeptResult,
  cache: TargetCache,
  ttlMsDefault: number,
): { value: KeptResult; retention: Retention } | undefined {
  const retention = result.value && retentionOf(result.value, cache, ttlMsDefault)
  return retention && { value: { ...result, value: undefined }, retention }
}

/** As the rule says, and no longer than the server allows. */
function retentionOf(value: JsonObject, { rule }: TargetCache, ttlMsDefault: number): Retention | undefined {
  if (value['isError'] === true || isJsonObject(value['task'])) return undefined
  if ((value['resultType'] ?? 'complete') !== 'complete') return undefined
  const freshMs = Math.min(rule.ttlMs ?? ttlMsDefault, serverTtlMs(value['ttlMs']))
  if (freshMs <= 0) return undefined
  const { staleWhileRevalidateMs: staleMs = 0, staleIfErrorMs = 0 } = rule
  return { freshMs, staleMs, spareMs: Math.max(0, staleIfErrorMs - staleMs) }
}

/** What a server says that is no time says nothing. */
function serverTtlMs(hint: JsonValue | undefined): number {
  return typeof hint === 'number' && Number.isInteger(hint) && hint >= 0 ? hint : Infinity
}

/** V8 keeps a text of Latin-1 in one byte a character, every other in two. */
function bytesOf({ text, serverInfoText = '' }: KeptResult): number {
  return (text.length + serverInfoText.length) * (/^[\0-\xff]*$/.test(text) ? 1 : 2)
}
