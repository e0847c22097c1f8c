import type { CancelSignal } from '#kernel/cancellation'
import { keySelector, type CacheSelector } from './cache-key.ts'
import { Flight } from './flight.ts'
import { createFlights, type Flights } from './flights.ts'
import {
  createKeptValues,
  keptFrom,
  type Kept,
  type KeptValues,
  type KeptValuesDeps,
  type Retention,
} from './kept-values.ts'
import type { SecondLevel } from './second-level.ts'

/** A value with where it came from. */
export interface Found<T> {
  readonly value: T
  /** `load`: got for this caller; `flight`: got for another that asked at the same time; `store`: kept from before. */
  readonly from: 'load' | 'flight' | 'store'
  readonly ageMs: number
  readonly isStale: boolean
}

/** What a caller brings along. */
export interface Ask<T, W> {
  readonly waiter: W
  readonly signal: CancelSignal
  /** Gets the value where there is none; its flight says who waits for it and until when. */
  load(flight: Flight<Found<T>, W>): Promise<T>
  /** What is kept of a value, and for how long. Undefined for one that is given to those who wait, and to nobody later. */
  keep(value: T): { readonly value: T; readonly retention: Retention } | undefined
}

/** What a program counted since it started, and what it has now. */
export interface CacheStats {
  /** Answered by a kept value; of these `staleHits` by one that was being got anew. */
  readonly hits: number
  readonly staleHits: number
  /** Waited for what another caller was getting already. */
  readonly shared: number
  readonly misses: number
  readonly sets: number
  /** Thrown out for lack of room. */
  readonly evictions: number
  readonly removed: number
  readonly refreshFailures: number
  readonly entries: number
  readonly bytes: number
  readonly bytesMax: number
}

/** Keeps values for a time, in bounded memory, and gets each at most once at a time. */
export interface Cache<T, W> extends Disposable {
  /** The value of a key: kept, shared with those who ask at the same time, or loaded. A failure is shared, never kept. */
  through(key: string, ask: Ask<T, W>): Promise<Found<T>>
  /** What is kept of a key, however old. */
  peek(key: string): Found<T> | undefined
  /** Removes what is selected, and what is being got of it is not kept; answers the keys that had a value. */
  remove(selector: CacheSelector): readonly string[]
  stats(): CacheStats
}

export interface CacheDeps<T> extends KeptValuesDeps<T> {
  /** Asked for what is not in memory before it is loaded. */
  readonly second?: SecondLevel<T> | undefined
  /** Hears of values that could not be got anew while the old one was served. */
  refreshFailed(key: string, error: unknown): void
}

const NOTHING = { hits: 0, staleHits: 0, shared: 0, misses: 0, sets: 0, removed: 0, refreshFailures: 0 }

export function createCache<T, W>(deps: CacheDeps<T>): Cache<T, W> {
  const { now, bytesMax } = deps
  const counts = { ...NOTHING }
  const values = createKeptValues(deps)
  const flights = createFlights<Found<T>, W>()
  const fly = createPilot<T, W>({ ...deps, counts, values, flights })

  /** Boards first: a flight without anybody on it would be over. */
  const load = async (key: string, flight: Flight<Found<T>, W>, ask: Ask<T, W>): Promise<Found<T>> => {
    const landing = flight.board(ask.waiter, ask.signal)
    if (!flight.signal.aborted) void fly(key, flight, ask)
    return (await landing) ?? load(key, new Flight(false), ask)
  }
  const share = async (key: string, flight: Flight<Found<T>, W>, ask: Ask<T, W>): Promise<Found<T>> => {
    counts.shared += 1
    const found = await flight.board(ask.waiter, ask.signal)
    if (found) return { ...found, from: 'flight' }
    counts.shared -= 1
    return load(key, new Flight(false), ask)
  }
  const serve = (key: string, kept: Kept<T>, ask: Ask<T, W>): Found<T> => {
    const found = foundIn(kept, now())
    counts.hits += 1
    if (found.isStale) {
      counts.staleHits += 1
      if (!flights.of(key)) void fly(key, flights.begin(key, true), ask)
    }
    return found
  }
  return {
    through(key, ask) {
      const kept = values.get(key)
      if (kept && now() < kept.staleUntil) return Promise.resolve(serve(key, kept, ask))
      const flight = flights.of(key)
      return flight?.isOpen ? share(key, flight, ask) : load(key, flights.begin(key, false), ask)
    },
    peek(key) {
      const kept = values.get(key)
      return kept && foundIn(kept, now())
    },
    remove(selector) {
      const isSelected = keySelector(selector)
      flights.doom(isSelected)
      const keys = values.remove(isSelected)
      counts.removed += keys.length
      return keys
    },
    stats: () => ({ ...counts, evictions: values.evictions, ...values.size(), bytesMax }),
    [Symbol.dispose]: () => flights[Symbol.dispose](),
  }
}

interface PilotDeps<T, W> extends CacheDeps<T> {
  readonly counts: { hits: number; misses: number; sets: number; refreshFailures: number }
  readonly values: KeptValues<T>
  readonly flights: Flights<Found<T>, W>
}

/** Runs a flight to its end. Never rejects: those who wait are told. */
function createPilot<T, W>({ counts, values, flights, second, now, refreshFailed }: PilotDeps<T, W>) {
  const fromSecond = async (key: string, flight: Flight<Found<T>, W>): Promise<Found<T> | undefined> => {
    const kept = await second?.get(key)
    if (!kept || !flight.isOpen) return undefined
    values.set(key, kept)
    counts.hits += 1
    return foundIn(kept, now())
  }
  const load = async (key: string, flight: Flight<Found<T>, W>, ask: Ask<T, W>): Promise<Found<T>> => {
    if (!flight.isBackground) counts.misses += 1
    const value = await ask.load(flight)
    const keep = flight.isOpen ? ask.keep(value) : undefined
    const kept = keep && keptFrom(keep.value, keep.retention, now())
    if (kept && values.set(key, kept)) {
      counts.sets += 1
      second?.put(key, kept)
    }
    return { value, from: 'load', ageMs: 0, isStale: false }
  }
  return async function fly(key: string, flight: Flight<Found<T>, W>, ask: Ask<T, W>): Promise<void> {
    try {
      const known = second && !flight.isBackground ? await fromSecond(key, flight) : undefined
      const found = known ?? (await load(key, flight, ask))
      flights.end(key, flight)
      flight.landed(found)
    } catch (error) {
      flights.end(key, flight)
      flight.failed(error)
      if (!flight.isBackground || flight.signal.aborted) return
      counts.refreshFailures += 1
      refreshFailed(key, error)
    }
  }
}

function foundIn<T>({ value, storedAt, freshUntil }: Kept<T>, at: number): Found<T> {
  return { value, from: 'store', ageMs: at - storedAt, isStale: at >= freshUntil }
}
