import { LRUCache } from 'lru-cache'

/** How long a value is good from now on, in milliseconds; each span begins where the one before it ends. */
export interface Retention {
  readonly freshMs: number
  /** Meanwhile it is served, and got anew behind the answer. */
  readonly staleMs: number
  /** Meanwhile it is kept for those who have nothing else. */
  readonly spareMs: number
}

/** A value and until when it is what; epoch milliseconds. */
export interface Kept<T> {
  readonly value: T
  readonly storedAt: number
  readonly freshUntil: number
  readonly staleUntil: number
  readonly spareUntil: number
}

/** Values in bounded memory: the ones that nobody asked for longest go first. */
export interface KeptValues<T> {
  get(key: string): Kept<T> | undefined
  /** False for one that is too large, or over already. */
  set(key: string, kept: Kept<T>): boolean
  /** Answers the keys that had a value. */
  remove(isSelected: (key: string) => boolean): readonly string[]
  /** Of what is not over yet. */
  size(): { readonly entries: number; readonly bytes: number }
  /** How many were thrown out for lack of room. */
  readonly evictions: number
}

export interface KeptValuesDeps<T> {
  readonly bytesMax: number
  /** Of a value as it lies in memory. */
  bytesOf(value: T): number
  /** Epoch milliseconds. */
  now(): number
}

/** The tables' own share of an entry. */
const ENTRY_BYTES = 400
/** One value may take this part of the room. */
const ENTRY_SHARE_MAX = 1 / 8

export function createKeptValues<T>({ bytesMax, bytesOf, now }: KeptValuesDeps<T>): KeptValues<T> {
  let evictions = 0
  const values = new LRUCache<string, Kept<T>>({
    maxSize: bytesMax,
    maxEntrySize: Math.floor(bytesMax * ENTRY_SHARE_MAX),
    sizeCalculation: ({ value }, key) => ENTRY_BYTES + key.length + bytesOf(value),
    ttlResolution: 0,
    perf: { now },
    dispose(_value, _key, reason) {
      if (reason === 'evict') evictions += 1
    },
  })
  return {
    get(key) {
      const kept = values.get(key)
      return kept && now() < kept.spareUntil ? kept : undefined
    },
    set(key, kept) {
      const ttl = kept.spareUntil - now()
      if (ttl <= 0) return false
      values.set(key, kept, { ttl })
      return values.has(key)
    },
    remove(isSelected) {
      values.purgeStale()
      const keys = [...values.keys()].filter(isSelected)
      for (const key of keys) values.delete(key)
      return keys
    },
    size() {
      values.purgeStale()
      return { entries: values.size, bytes: values.calculatedSize }
    },
    get evictions() {
      return evictions
    },
  }
}

/** What is kept from now on. */
export function keptFrom<T>(value: T, { freshMs, staleMs, spareMs }: Retention, storedAt: number): Kept<T> {
  const freshUntil = storedAt + freshMs
  const staleUntil = freshUntil + staleMs
  return { value, storedAt, freshUntil, staleUntil, spareUntil: staleUntil + spareMs }
}
