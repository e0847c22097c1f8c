import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSealer } from '#kernel/seal'
import { openTestRegistry, snapshotOf, upstreamDraft, type TestRegistry } from '../../test/support/test-registry.ts'
import { cachingHints, createLists, type Lists } from './lists.ts'

const sealer = createSealer(randomBytes(32))
const newLists = (): Lists => createLists(sealer, () => true)
const tools = (count: number) => Array.from({ length: count }, (_, index) => `tool ${index}`)

interface Page {
  readonly tools: { readonly name: string }[]
  readonly nextCursor?: string
}

function page({ registry }: TestRegistry, lists: Lists, cursor?: string): Page {
  const { bytes } = lists.page(registry.catalog.view()!, 'tools/list', 'legacy', cursor === undefined ? {} : { cursor })
  return JSON.parse(bytes.toString('utf8')) as Page
}

describe('R113 a long list', () => {
  test('comes in pages, each thing once and in order', async () => {
    await using t = await openTestRegistry()
    await t.add('a', tools(2500), { prefix: '' })
    const lists = newLists()
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { tools: part, nextCursor } = page(t, lists, cursor)
      seen.push(...part.map(({ name }) => name))
      cursor = nextCursor
    } while (cursor !== undefined)
    expect(seen).toEqual(tools(2500))
  })

  test('goes on behind the last thing seen when it has changed meanwhile, or near it when that is gone', async () => {
    await using t = await openTestRegistry()
    const id = await t.add('a', tools(1500), { prefix: '' })
    const lists = newLists()
    const { nextCursor } = page(t, lists)
    await t.registry.publishSnapshot(snapshotOf(id, { tools: ['new', ...tools(1500)] }))
    expect(page(t, lists, nextCursor).tools[0]?.name).toBe('tool 1000')
    await t.registry.publishSnapshot(snapshotOf(id, { tools: tools(1500).filter((name) => name !== 'tool 999') }))
    expect(page(t, lists, nextCursor).tools[0]?.name).toBe('tool 1001')
    await t.registry.publishSnapshot(snapshotOf(id, { tools: ['only'] }))
    expect(page(t, lists, nextCursor).tools).toEqual([])
  })

  test('takes no cursor of another list, key or maker', async () => {
    await using t = await openTestRegistry()
    await t.add('a', tools(1500), { prefix: '' })
    const lists = newLists()
    const { nextCursor = '' } = page(t, lists)
    const view = t.registry.catalog.view()!
    const foreign = createSealer(randomBytes(32)).seal('cursor', 'tools/list 1000 x')
    const tries: [string, unknown][] = [
      ['prompts/list', nextCursor],
      ['tools/list', foreign],
      ['tools/list', sealer.seal('session', 'tools/list 1000 x')],
      ['tools/list', `${nextCursor}=`],
      ['tools/list', ''],
      ['tools/list', null],
      ['tools/list', [nextCursor]],
    ]
    for (const [method, cursor] of tries)
      expect(() => lists.page(view, method, 'legacy', { cursor } as never)).toThrow(
        expect.objectContaining({ code: 'validation_error' }),
      )
  })

  test('is made once a revision, and made anew when it changes', async () => {
    await using t = await openTestRegistry()
    const id = await t.add('a', ['x'])
    const lists = newLists()
    const get = () => lists.page(t.registry.catalog.view()!, 'tools/list', 'modern', {}).bytes
    const first = get()
    expect(get()).toBe(first)
    await t.registry.publishSnapshot(snapshotOf(id, { tools: ['y'] }))
    expect(get()).not.toBe(first)
  })
})

test('R113 caching hints are those of the most careful part', async () => {
  await using t = await openTestRegistry()
  const hints = (isComplete = true) => cachingHints(t.registry.catalog.view()!, isComplete)
  const publish = async (name: string, more: object) => {
    const { id } = await t.registry.upstreams.register(upstreamDraft(name))
    await t.registry.publishSnapshot(snapshotOf(id, {}, more))
  }
  await publish('a', { ttlMs: 100, cacheScope: 'public' })
  await publish('b', { ttlMs: 50, cacheScope: 'public' })
  expect(hints()).toEqual({ ttlMs: 50, cacheScope: 'public' })
  await publish('c', { ttlMs: 99_999_999, cacheScope: 'public' })
  expect(hints().ttlMs).toBe(50)
  await publish('d', {})
  expect(hints()).toEqual({ ttlMs: 50, cacheScope: 'private' })
  expect(hints(false).ttlMs).toBe(0)
})
