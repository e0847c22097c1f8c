import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { workshop } from '../../test/support/discovery-workshop.ts'
import { until } from '../../test/support/until.ts'
import type { Discovery } from './discovery.ts'
import { watchSource } from './discovery-watch.ts'
import type { FoundServer } from './found-server.ts'

function watching(discovery: Discovery, path: string) {
  const told: string[][] = []
  const errors: unknown[] = []
  const watch = discovery.watch([{ kind: 'file', path }], {
    everyFound: (found) => void told.push(found.map(({ name }) => name)),
    onError: (error) => errors.push(error),
  })
  return { told, errors, [Symbol.dispose]: () => watch[Symbol.dispose]() }
}
const servers = (...names: string[]) => names.map((name) => ({ name, url: `http://127.0.0.1/${name}` }))

describe('watching a source (R123)', () => {
  test('what is written, replaced and deleted is told at once', async () => {
    using shop = workshop()
    shop.write('s.json', servers('one'))
    using watch = watching(shop.discovery, shop.path('s.json'))
    await until('first look', () => watch.told.length === 1)
    shop.write('s.json', servers('one', 'two'))
    await until('written', () => watch.told.length === 2)
    shop.write('s.new', servers('three'))
    renameSync(shop.path('s.new'), shop.path('s.json'))
    await until('replaced', () => watch.told.length === 3)
    rmSync(shop.path('s.json'))
    await until('deleted', () => watch.told.length === 4)
    expect(watch.told).toEqual([['one'], ['one', 'two'], ['three'], []])
    expect(watch.errors).toEqual([])
  })

  test('a directory is watched for files that come and go', async () => {
    using shop = workshop()
    mkdirSync(shop.path('servers.d'))
    using watch = watching(shop.discovery, shop.path('servers.d'))
    await until('first look', () => watch.told.length === 1)
    shop.write('servers.d/a.json', servers('one'))
    await until('come', () => watch.told.length === 2)
    rmSync(shop.path('servers.d/a.json'))
    await until('gone', () => watch.told.length === 3)
    expect(watch.told).toEqual([[], ['one'], []])
  })

  test('a broken file is an error and changes nothing; mended it counts again', async () => {
    using shop = workshop()
    shop.write('s.json', servers('one'))
    using watch = watching(shop.discovery, shop.path('s.json'))
    await until('first look', () => watch.told.length === 1)
    shop.write('s.json', '[{')
    await until('error', () => watch.errors.length === 1)
    shop.write('s.json', servers('two'))
    await until('mended', () => watch.told.length === 2)
    expect(watch.told).toEqual([['one'], ['two']])
  })

  test('after the end nothing is told any more', async () => {
    using shop = workshop()
    shop.write('s.json', servers('one'))
    const other = watching(shop.discovery, shop.path('s.json'))
    using witness = watching(shop.discovery, shop.path('s.json'))
    await until('first look', () => other.told.length === 1 && witness.told.length === 1)
    other[Symbol.dispose]()
    shop.write('s.json', servers('two'))
    await until('the witness saw it', () => witness.told.length === 2)
    expect(other.told).toEqual([['one']])
  })

  test('a look that finds the same is not told, one that could not be applied is told again', async () => {
    using shop = workshop()
    let looks = 0
    let told = 0
    using _watch = watchSource({ kind: 'file', path: shop.path('s.json') }, countedFind, {
      everyFound: () => (++told === 1 ? Promise.reject(new Error('storage is down')) : undefined),
      onError: () => {},
    })
    function countedFind(): Promise<FoundServer[]> {
      looks++
      return Promise.resolve([{ name: 'one' }])
    }
    for (let wanted = 1; wanted <= 3; wanted++) {
      await until('a look', () => looks === wanted)
      shop.write('s.json', String(wanted))
    }
    await until('the last look', () => looks === 4)
    expect(told).toBe(2)
  })

  test('a look that is under way at the end tells nothing', async () => {
    const finding = Promise.withResolvers<FoundServer[]>()
    const told: unknown[] = []
    let signal: AbortSignal | undefined
    const find = (_source: unknown, options: { readonly signal?: AbortSignal }): Promise<FoundServer[]> => {
      signal = options.signal
      return finding.promise
    }
    const events = { everyFound: (found: unknown) => void told.push(found), onError: () => {} }
    watchSource({ kind: 'file', path: '/nowhere/s.json' }, find, events)[Symbol.dispose]()
    expect(signal?.aborted).toBe(true)
    finding.resolve([{ name: 'one' }])
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toEqual([])
  })
})
