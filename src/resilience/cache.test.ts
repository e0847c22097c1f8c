import { describe, expect, test } from 'vitest'
import { AppError } from '#kernel/errors'
import { createCache, type Ask, type Found } from './cache.ts'
import { cacheKey } from './cache-key.ts'
import type { Flight } from './flight.ts'
import type { Retention } from './kept-values.ts'

const never = new AbortController().signal
const key = (tool: string, namespace?: string, server = 'files') => cacheKey({ tool, server, namespace, digest: 'd' })
const A = key('files__a')
const MINUTE: Retention = { freshMs: 60_000, staleMs: 0, spareMs: 0 }

/** A cache by a clock that stands still, and what it said of refreshes that failed. */
function open(bytesMax = 1_000_000) {
  const clock = { at: 1_000_000 }
  const failures: unknown[] = []
  const refreshFailed = (_key: string, error: unknown): void => void failures.push(error)
  const cache = createCache<string, string>({
    bytesMax,
    bytesOf: (text) => text.length,
    now: () => clock.at,
    refreshFailed,
  })
  /** Asks for a key; what is not there is loaded as `value`. */
  const ask = (of: string, value: string | Promise<string>, more: Partial<Ask<string, string>> = {}) =>
    cache.through(of, {
      waiter: 'caller',
      signal: never,
      load: async () => value,
      keep: (loaded) => ({ value: loaded, retention: MINUTE }),
      ...more,
    })
  return { cache, clock, failures, ask }
}

const fail = () => Promise.reject(new Error('down'))
const shortly = () => new Promise((resolve) => setImmediate(resolve))
const outcome = ({ value, from, isStale }: Found<string>) => [value, from, isStale]

describe('a cache', () => {
  /** R090, R092, R170, R172 */
  test('asks once for what it is asked for again', async () => {
    const { ask, cache } = open()
    expect(outcome(await ask(A, 'one'))).toEqual(['one', 'load', false])
    expect(outcome(await ask(A, 'two'))).toEqual(['one', 'store', false])
    expect(outcome(await ask(key('files__b'), 'three'))).toEqual(['three', 'load', false])
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 2, sets: 2, entries: 2 })
  })

  /** R091, R173 */
  test('forgets a value to the millisecond when its time is over, and says how old it is until then', async () => {
    const { ask, cache, clock } = open()
    await ask(A, 'one')
    clock.at += 59_999
    expect(await ask(A, 'two')).toEqual({ value: 'one', from: 'store', ageMs: 59_999, isStale: false })
    clock.at += 1
    expect(cache.peek(A)).toBeUndefined()
    expect(outcome(await ask(A, 'two'))).toEqual(['two', 'load', false])
    clock.at += 60_001
    expect([cache.stats().entries, cache.stats().bytes]).toEqual([0, 0])
  })

  /** R091, D10: whoever makes up new arguments for ever pays with his own entries. */
  test('never holds more bytes than it may, and what nobody asked for longest goes first', async () => {
    const { ask, cache } = open(100_000)
    for (let one = 0; one < 5; one += 1) await ask(key(`files__${one}`), 'x'.repeat(12_000))
    for (let one = 0; one < 2000; one += 1) {
      await ask(A, 'kept because it is asked for')
      await ask(key(`files__r${one}`), 'x'.repeat(1000))
      expect(cache.stats().bytes).toBeLessThanOrEqual(100_000)
    }
    const { entries, evictions, sets } = cache.stats()
    expect(sets - evictions).toBe(entries)
    expect(entries).toBeLessThan(100)
    expect(outcome(await ask(A, 'new'))).toEqual(['kept because it is asked for', 'store', false])
    expect(outcome(await ask(key('files__r0'), 'new'))).toEqual(['new', 'load', false])
  })

  test('gives a value that is too large for it to those who wait, and keeps it for nobody', async () => {
    const { ask, cache } = open(100_000)
    expect((await ask(A, 'x'.repeat(20_000))).value).toHaveLength(20_000)
    expect(cache.stats()).toMatchObject({ sets: 0, entries: 0, bytes: 0, evictions: 0 })
  })

  test('keeps nothing of a value that may not be given again', async () => {
    const { ask, cache } = open()
    await ask(A, 'one', { keep: () => undefined })
    expect(outcome(await ask(A, 'two'))).toEqual(['two', 'load', false])
    expect(cache.stats()).toMatchObject({ sets: 1, misses: 2 })
  })
})

describe('R281 equal questions at one time', () => {
  test('are asked once: a hundred callers, one load, and each learns that it was for all', async () => {
    const { ask, cache } = open()
    const answer = Promise.withResolvers<string>()
    let loads = 0
    const load = () => ((loads += 1), answer.promise)
    const callers = Array.from({ length: 100 }, () => ask(A, '', { load }))
    answer.resolve('one')
    const found = await Promise.all(callers)
    expect([loads, found.filter(({ from }) => from === 'load').length]).toEqual([1, 1])
    expect(new Set(found.map(({ value }) => value))).toEqual(new Set(['one']))
    expect(cache.stats()).toMatchObject({ misses: 1, shared: 99, hits: 0, sets: 1 })
  })

  test('go on when one of the callers leaves, also the first, and end with the last', async () => {
    const { ask } = open()
    const answer = Promise.withResolvers<string>()
    let flight: Flight<Found<string>, string> | undefined
    const load = (own: Flight<Found<string>, string>) => ((flight = own), answer.promise)
    const leaving = Array.from({ length: 3 }, () => new AbortController())
    const callers = leaving.map(({ signal }) => ask(A, '', { load, signal }))
    leaving[0]!.abort(new Error('first gone'))
    await expect(callers[0]).rejects.toThrow('first gone')
    leaving[2]!.abort(new Error('third gone'))
    await expect(callers[2]).rejects.toThrow('third gone')
    expect(flight?.signal.aborted).toBe(false)
    answer.resolve('one')
    expect((await callers[1])?.value).toBe('one')
    const alone = new AbortController()
    const last = ask(key('files__b'), '', {
      load: (own) => ((flight = own), new Promise(() => undefined)),
      signal: alone.signal,
    })
    alone.abort(new Error('all gone'))
    await expect(last).rejects.toThrow('all gone')
    expect([flight?.signal.aborted, flight?.signal.reason]).toEqual([true, new Error('all gone')])
    expect(outcome(await ask(key('files__b'), 'anew'))).toEqual(['anew', 'load', false])
  })

  test('share a failure, which nobody gets who comes later', async () => {
    const { ask, cache } = open()
    const answer = Promise.withResolvers<string>()
    const callers = [1, 2, 3].map(() => ask(A, answer.promise))
    answer.reject(new AppError('upstream_unavailable', 'down'))
    for (const { status } of await Promise.allSettled(callers)) expect(status).toBe('rejected')
    expect(outcome(await ask(A, 'up'))).toEqual(['up', 'load', false])
    expect(cache.stats()).toMatchObject({ sets: 1, misses: 2 })
  })

  test('are asked by each for himself as soon as the answer is for one alone', async () => {
    const { ask, cache } = open()
    const answer = Promise.withResolvers<string>()
    const isolated = ask(A, '', {
      waiter: 'first',
      async load(flight) {
        const value = await answer.promise
        flight.isolate('first')
        return value
      },
    })
    const others = ['second', 'third'].map((waiter) => ask(A, waiter, { waiter, keep: () => undefined }))
    answer.resolve('personal')
    expect(outcome(await isolated)).toEqual(['personal', 'load', false])
    expect((await Promise.all(others)).map(outcome)).toEqual([
      ['second', 'load', false],
      ['third', 'load', false],
    ])
    expect(cache.stats()).toMatchObject({ entries: 0, shared: 0, misses: 3 })
  })

  test('begin no load for a caller that has left before', async () => {
    const { ask, cache } = open()
    const gone = AbortSignal.abort(new Error('gone'))
    await expect(ask(A, 'one', { signal: gone })).rejects.toThrow('gone')
    expect(cache.stats()).toMatchObject({ misses: 0, sets: 0 })
  })
})

describe('R281 a value whose time is over', () => {
  const STALE = { keep: (value: string) => ({ value, retention: { freshMs: 10, staleMs: 100, spareMs: 1000 } }) }

  test('is given for a while and got anew once behind the answers', async () => {
    const { ask, cache, clock } = open()
    await ask(A, 'old', STALE)
    clock.at += 10
    const answer = Promise.withResolvers<string>()
    let loads = 0
    const load = (flight: Flight<Found<string>, string>) => ((loads += Number(flight.isBackground)), answer.promise)
    for (let time = 0; time < 5; time += 1)
      expect(outcome(await ask(A, '', { ...STALE, load }))).toEqual(['old', 'store', true])
    answer.resolve('new')
    await shortly()
    expect(outcome(await ask(A, 'newer', STALE))).toEqual(['new', 'store', false])
    expect(loads).toBe(1)
    expect(cache.stats()).toMatchObject({ hits: 6, staleHits: 5, misses: 1, sets: 2, refreshFailures: 0 })
  })

  test('stays when it cannot be got anew, which is told, and afterwards only those see it who ask for what is left', async () => {
    const { ask, cache, clock, failures } = open()
    await ask(A, 'old', STALE)
    clock.at += 109
    expect(outcome(await ask(A, '', { ...STALE, load: fail }))).toEqual(['old', 'store', true])
    await shortly()
    expect([failures, cache.stats().refreshFailures]).toEqual([[new Error('down')], 1])
    clock.at += 1
    await expect(ask(A, '', { ...STALE, load: fail })).rejects.toThrow('down')
    expect(cache.peek(A)).toEqual({ value: 'old', from: 'store', ageMs: 110, isStale: true })
    clock.at += 1000
    expect(cache.peek(A)).toBeUndefined()
  })

  test('is no longer got anew when the program ends', async () => {
    const { ask, cache, clock, failures } = open()
    await ask(A, 'old', STALE)
    clock.at += 10
    let signal: Flight<Found<string>, string>['signal'] | undefined
    await ask(A, '', { ...STALE, load: (flight) => ((signal = flight.signal), new Promise(() => undefined)) })
    cache[Symbol.dispose]()
    expect([signal?.aborted, failures]).toEqual([true, []])
  })
})

describe('R093 removal', () => {
  const KEYS = [key('files__a'), key('files__b', 'dev'), key('db__a', 'dev', 'db'), key('db__b', undefined, 'db')]

  test.each([
    [{}, 4],
    [{ tag: 'server:db' }, 2],
    [{ tag: 'tool:files__a' }, 1],
    [{ tag: 'namespace:dev' }, 2],
    [{ tag: 'dev' }, 2],
    [{ tag: 'db' }, 2],
    [{ tag: 'server:dev' }, 0],
    [{ tag: 'd' }, 0],
    [{ tag: 'namespace:' }, 0],
    [{ prefix: 'files__' }, 2],
    [{ prefix: 'a' }, 0],
    [{ prefix: 'db__', tag: 'dev' }, 1],
  ])('of %j takes %i away and leaves the others', async (selector, count) => {
    const { ask, cache } = open()
    for (const each of KEYS) await ask(each, 'old')
    expect(cache.remove(selector)).toHaveLength(count)
    const found = await Promise.all(KEYS.map((each) => ask(each, 'new')))
    expect(found.filter(({ value }) => value === 'new')).toHaveLength(count)
    expect(cache.stats()).toMatchObject({ removed: count, evictions: 0 })
  })

  test('finds names with any characters, and is not misled by what separates them', async () => {
    const { ask, cache } = open()
    const odd = cacheKey({ tool: 'a/b%2F', server: 'ü:server:x', namespace: 'n', digest: 'd' })
    await ask(odd, 'old')
    expect([cache.remove({ tag: 'n/d' }), cache.remove({ tag: 'b%2F' }), cache.remove({ tag: 'server:x' })]).toEqual([
      [],
      [],
      [],
    ])
    expect(cache.remove({ tag: 'server:ü:server:x', prefix: 'a/b' })).toHaveLength(1)
  })

  /** What an upstream answered before a change must not be given after it. */
  test('reaches what is on its way: those who wait get it, nobody later', async () => {
    const { ask, cache } = open()
    const answer = Promise.withResolvers<string>()
    const early = ask(A, answer.promise)
    cache.remove({ tag: 'files' })
    const late = ask(A, 'after')
    answer.resolve('before')
    expect((await early).value).toBe('before')
    expect(outcome(await late)).toEqual(['after', 'load', false])
    expect(outcome(await ask(A, 'again'))).toEqual(['after', 'store', false])
  })
})

/** R094, R281 */
test('counts match a script to the last one', async () => {
  const { ask, cache } = open()
  await ask(A, 'one')
  await ask(A, 'one')
  await ask(A, 'one')
  await ask(key('files__b'), 'two!')
  await ask(key('files__c'), 'x', { load: () => Promise.reject(new Error('down')) }).catch(() => undefined)
  cache.remove({ tag: 'tool:files__b' })
  await ask(key('files__b'), 'two!')
  expect(cache.stats()).toEqual({
    hits: 2,
    staleHits: 0,
    shared: 0,
    misses: 4,
    sets: 3,
    evictions: 0,
    removed: 1,
    refreshFailures: 0,
    entries: 2,
    bytes: 2 * 400 + A.length + key('files__b').length + 3 + 4,
    bytesMax: 1_000_000,
  })
})
