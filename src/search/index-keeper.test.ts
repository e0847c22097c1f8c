import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { createVisibleViews } from '#gateway/visible-views'
import { createPolicy } from '#policy/policy'
import { BUILT_IN_ROLES } from '#policy/roles'
import { person } from '../../test/support/person.ts'
import { openTestRegistry, quiet, snapshotOf, type TestRegistry } from '../../test/support/test-registry.ts'
import { openToolSearch, type OpenSearch } from './open-tool-search.ts'

const ANN = person('ann', ['admin'])
const VERBS = ['read', 'write', 'list', 'send', 'paint', 'bake', 'sing', 'count', 'stamp', 'fold']
const TOOLS = Array.from({ length: 1200 }, (_, at) => `${VERBS[at % 10]}_${VERBS[Math.floor(at / 10) % 10]}_item${at}`)
const QUERIES = ['bake and sing', 'stamp item17', 'send something', 'paint item990', 'write list', 'zebra']

interface Stage extends AsyncDisposable {
  readonly t: TestRegistry
  readonly file: string
  open(): Promise<OpenSearch>
  /** Opens a search over what is in storage, asks the queries, and closes it. */
  run(): Promise<readonly (readonly string[])[]>
}

async function stage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'metamcp-index-'))
  const file = join(folder, 'search-index')
  const t = await openTestRegistry()
  const open = () =>
    openToolSearch({
      catalog: t.registry.catalog,
      views: createVisibleViews(t.registry.catalog, createPolicy(BUILT_IN_ROLES)),
      stores: t.storage.search,
      log: quiet,
      settings: { embedder: 'static', learning: true, indexFile: file },
      now: Date.now,
    })
  return {
    t,
    file,
    open,
    async run() {
      await using search = await open()
      search.readAhead()
      const asked = { mode: 'hybrid', principal: ANN, surface: 'rest', limit: 5, threshold: 0 } as const
      const answers = []
      for (const text of QUERIES) {
        const { found } = await search.search({ ...asked, text })
        answers.push(found.map(({ tool, score }) => `${tool.exposedName} ${score}`))
      }
      return answers
    },
    async [Symbol.asyncDispose]() {
      await t[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}

function described(text: string, description: string): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), description })
}

test('what was indexed is not indexed again by the next run, and finds the same', async () => {
  await using s = await stage()
  await s.t.add('things', TOOLS)
  const first = await s.run()
  const { ino } = statSync(s.file)
  expect(statSync(s.file).mode & 0o777).toBe(0o600)
  expect(await s.run()).toEqual(first)
  expect(statSync(s.file).ino).toBe(ino)
})

test('tools that come after the gateway listens are read before anybody asks', async () => {
  await using s = await stage()
  await using search = await s.open()
  search.readAhead()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    await s.t.add('things', TOOLS)
    // The index is kept when it has been calm for some seconds.
    for (const end = performance.now() + 10_000; !existsSync(s.file) && performance.now() < end;) {
      vi.advanceTimersByTime(6000)
      await setImmediate()
    }
  } finally {
    vi.useRealTimers()
  }
  expect(existsSync(s.file)).toBe(true)
})

test('R111 what changes after nothing was new is indexed, its meaning too', async () => {
  await using s = await stage()
  const id = await s.t.add('things', TOOLS)
  await s.run()
  await using search = await s.open()
  const ask = (text: string) =>
    search.search({ text, mode: 'hybrid', principal: ANN, surface: 'rest', limit: 5, threshold: 0 })
  expect((await ask('zebra')).parts).toEqual(['keyword', 'static'])
  await s.t.registry.publishSnapshot(snapshotOf(id, { tools: [...TOOLS, 'ride_zebra'] }))
  const { found, parts } = await ask('zebra')
  expect([found[0]?.tool.originalName, parts]).toEqual(['ride_zebra', ['keyword', 'static']])
})

test('R111 what came, changed or went while nobody looked is found as it is now', async () => {
  await using s = await stage()
  const id = await s.t.add('things', TOOLS)
  await s.run()
  const now = TOOLS.filter((name) => !name.includes('item17')).concat('stamp_new_trumpet')
  const { tools } = snapshotOf(id, { tools: now })
  const changed = tools.map(({ key, text }) =>
    key.endsWith('item990') ? { key, text: described(text, 'a zebra') } : { key, text },
  )
  await s.t.registry.publishSnapshot(snapshotOf(id, {}, { tools: changed }))
  const [, item17 = [], , , , zebra] = await s.run()
  expect(item17.join()).not.toContain('item17 ')
  expect(zebra?.[0]).toContain('item990 ')
})

test.each<[what: string, damage: (bytes: Buffer) => Buffer]>([
  ['a torn one', (bytes) => bytes.subarray(0, bytes.length / 2)],
  ['one with a changed byte', (bytes) => ((bytes[bytes.length - 5]! ^= 1), bytes)],
  ['one of another program', (bytes) => Buffer.concat([Buffer.from('{"madeBy":"x'), bytes.subarray(12)])],
  ['one that is none', () => Buffer.from('hello\nworld')],
  ['an empty one', () => Buffer.alloc(0)],
])('a file that cannot be trusted is made anew: %s', async (_what, damage) => {
  await using s = await stage()
  await s.t.add('things', TOOLS)
  const first = await s.run()
  const whole = readFileSync(s.file)
  writeFileSync(s.file, damage(Buffer.from(whole)))
  expect(await s.run()).toEqual(first)
  expect(readFileSync(s.file).equals(whole)).toBe(true)
})
