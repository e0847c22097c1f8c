import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { person } from '../../test/support/person.ts'
import { openTestRegistry, quiet, type TestRegistry } from '../../test/support/test-registry.ts'
import { openToolSearch } from './open-tool-search.ts'
import type { FindRules } from './tool-scopes.ts'
import type { ToolQuery } from './tool-search.ts'

/** Everybody but the guest may find everything; the guest nothing that is secret. */
const views: FindRules = {
  mayRead: ({ roles }, { catalogName }) => !roles.includes('guest') || !catalogName.includes('secret'),
  mayReadAll: ({ roles }) => !roles.includes('guest'),
  scopeOf: ({ roles }) => roles.join(),
}

const ANN = person('ann')
const GUEST = person('guest', ['guest'])

async function open(t: TestRegistry, learning = true) {
  const { catalog } = t.registry
  const settings = { embedder: 'static', learning } as const
  const search = await openToolSearch({
    catalog,
    views,
    stores: t.storage.search,
    log: quiet,
    settings,
    now: Date.now,
  })
  const ask = (text: string, more: Partial<ToolQuery> = {}) =>
    search.search({ text, mode: 'hybrid', principal: ANN, surface: 'rest', limit: 10, threshold: 0, ...more })
  const names = async (...given: Parameters<typeof ask>) =>
    (await ask(...given)).found.map(({ tool }) => tool.exposedName)
  const called = (name: string) => search.called({ principal: ANN, namespace: undefined, name })
  return { search, ask, names, called }
}

/** Their meaning takes many times as long as an answer by words. */
const MANY = Array.from({ length: 20_000 }, (_, at) => at)
const TOOLS = ['read_file', 'write_file', 'secret_read_file', 'send_mail']

test('R038, R052 what the caller may not find is not found, not counted, not hinted at, and changes no score', async () => {
  await using t = await openTestRegistry()
  await t.add('files', TOOLS)
  await using few = await openTestRegistry()
  await few.add(
    'files',
    TOOLS.filter((name) => !name.includes('secret')),
  )
  const { search, ask } = await open(t)
  const other = await open(few)
  for (const mode of ['keyword', 'semantic', 'hybrid'] as const) {
    const guest = await ask('read secret file', { principal: GUEST, mode })
    const without = await other.ask('read secret file', { mode })
    const bare = ({ found, ...rest }: typeof guest) => ({
      ...rest,
      id: undefined,
      found: found.map(({ tool, ...scores }) => ({ ...scores, name: tool.exposedName })),
    })
    expect(bare(guest)).toEqual(bare(without))
  }
  await search[Symbol.asyncDispose]()
  await other.search[Symbol.asyncDispose]()
})

test('R133 a repeated query is answered from the cache, for who may find the same and as long as nothing changed', async () => {
  await using t = await openTestRegistry()
  await t.add('files', TOOLS)
  const { search, ask } = await open(t)
  const first = await ask('read file')
  expect(first.cached).toBe(false)
  const again = await ask('read file', { principal: person('bob') })
  expect(again).toEqual({ ...first, id: again.id, cached: true })
  expect(await ask('read file', { principal: GUEST })).toMatchObject({ cached: false, total: 3 })
  expect(await ask('read file', { limit: 1 })).toMatchObject({ cached: false })
  await t.add('more', ['read_news'])
  expect((await ask('read file')).cached).toBe(false)
  await search[Symbol.asyncDispose]()
})

test('R052, R111 of very many new tools the words answer first and say so, and meaning has its say as soon as it can', async () => {
  await using t = await openTestRegistry()
  await t.add(
    'many',
    MANY.map((at) => `${at % 2 === 0 ? 'read_file' : 'send_mail'}_${at}`),
  )
  const { search, ask } = await open(t)
  const first = await ask('read file')
  expect(first).toMatchObject({ parts: ['keyword'], weights: { keyword: 1, semantic: 0 }, cached: false })
  expect(first.found[0]?.tool.exposedName).toContain('read_file')
  expect((await ask('read file', { mode: 'semantic' })).parts).toEqual(['static'])
  expect(await ask('read file')).toMatchObject({ parts: ['keyword', 'static'], cached: false })
  expect(await ask('read file')).toMatchObject({ parts: ['keyword', 'static'], cached: true })
  await search[Symbol.asyncDispose]()
})

test('a search that ends while tools are indexed leaves nothing undone that would fail', async () => {
  await using t = await openTestRegistry()
  await t.add(
    'many',
    MANY.map((at) => `word${at}`),
  )
  const failures: unknown[] = []
  const failed = (thrown: unknown) => void failures.push(thrown)
  process.on('unhandledRejection', failed)
  const { search, ask } = await open(t)
  expect((await ask('word1')).parts).toEqual(['keyword'])
  const waiting = ask('word1', { mode: 'semantic' })
  await search[Symbol.asyncDispose]()
  await expect(waiting).rejects.toThrow('The search has ended')
  for (let turn = 0; turn < 500; turn += 1) await setImmediate()
  process.off('unhandledRejection', failed)
  expect(failures).toEqual([])
})

test('R071 an exact name goes first, with or without its prefix', async () => {
  await using t = await openTestRegistry()
  await t.add('files', TOOLS)
  const { search, ask } = await open(t)
  for (const text of ['files__write_file', 'write_file', 'Write File'])
    expect((await ask(text)).found[0]).toMatchObject({ score: 1, tool: { exposedName: 'files__write_file' } })
  await search[Symbol.asyncDispose]()
})

test('R111 the search follows the catalog: servers come, change and go, and namespaces show their own', async () => {
  await using t = await openTestRegistry()
  const id = await t.add('files', TOOLS)
  const { search, names } = await open(t)
  expect(await names('mail', { mode: 'keyword' })).toEqual(['files__send_mail'])
  await t.registry.namespaces.register({
    name: 'reading',
    include: ['*read*'],
    exclude: [],
    expose: 'all',
    overrides: { files__read_file: { description: 'Plays a trumpet' } },
  })
  expect(await names('mail', { mode: 'keyword', namespace: 'reading' })).toEqual([])
  expect(await names('trumpet', { mode: 'keyword', namespace: 'reading' })).toEqual(['files__read_file'])
  expect(await names('trumpet', { mode: 'keyword' })).toEqual([])
  expect(await names('trumpet', { namespace: 'nowhere' })).toEqual([])
  await t.add('post', ['stamp_letter'])
  expect(await names('letter', { mode: 'keyword' })).toEqual(['post__stamp_letter'])
  await t.registry.upstreams.remove(id)
  expect(await names('file', { mode: 'keyword' })).toEqual([])
  expect(await names('letter', { mode: 'keyword' })).toEqual(['post__stamp_letter'])
  await search[Symbol.asyncDispose]()
})

test('a successful call of a tool that was found teaches the search, also after a restart, until it is forgotten', async () => {
  await using t = await openTestRegistry()
  await t.add('files', TOOLS)
  const { search, ask, names, called } = await open(t)
  const before = await ask('blorp the frobnicator')
  const other = before.found.at(-1)!.tool
  called(other.exposedName)
  expect((await names('blorp frobnicator'))[0]).toBe(other.exposedName)
  await search[Symbol.asyncDispose]()
  const again = await open(t)
  expect((await again.names('frobnicator blorp'))[0]).toBe(other.exposedName)
  expect(await again.search.lessons.forget(other.id)).toBe(1)
  expect(await again.names('frobnicator blorp', { mode: 'keyword' })).toEqual([])
  await again.search[Symbol.asyncDispose]()
})

test('nothing is learned where learning is switched off', async () => {
  await using t = await openTestRegistry()
  await t.add('files', TOOLS)
  const { search, ask, called } = await open(t, false)
  await ask('blorp the file')
  called('files__send_mail')
  expect(search.lessons.all()).toEqual([])
  await search[Symbol.asyncDispose]()
})
