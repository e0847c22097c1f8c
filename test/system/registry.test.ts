import { describe, expect, test } from 'vitest'
import type { Logger } from '#kernel/logger'
import {
  httpToolDraft,
  namespaceDraft,
  openTestRegistry,
  quiet,
  snapshotOf,
  upstreamDraft,
} from '../support/test-registry.ts'
import { applyFile, type FileContents } from '#registry/apply-file'

const names = (tools: readonly { exposedName: string }[] = []) => tools.map(({ exposedName }) => exposedName)

describe('R252 the catalog', () => {
  test('tells of a change only the namespaces whose visible lists it changed, and only of those lists', async () => {
    await using t = await openTestRegistry()
    await t.registry.namespaces.register(namespaceDraft('one', { servers: ['a'] }))
    await t.registry.namespaces.register(namespaceDraft('two', { servers: ['b'] }))
    await t.registry.namespaces.register(namespaceDraft('reads', { include: ['*__read'] }))
    const b = await t.add('b', ['read'])
    t.changes.length = 0
    const a = await t.add('a', ['read', 'write'])
    expect(t.changes).toEqual([
      { tools: true, prompts: false, resources: false },
      { namespace: 'one', tools: true, prompts: false, resources: false },
      { namespace: 'reads', tools: true, prompts: false, resources: false },
    ])
    t.changes.length = 0
    await t.registry.publishSnapshot(snapshotOf(a, { tools: ['read', 'write', 'append'] }))
    expect(t.changes.map(({ namespace }) => namespace)).toEqual([undefined, 'one'])
    t.changes.length = 0
    await t.registry.publishSnapshot(snapshotOf(b, { tools: ['read'], prompts: ['p'], templates: ['t://{x}'] }))
    expect(t.changes).toContainEqual({ namespace: 'two', tools: false, prompts: true, resources: true })
  })

  test('has one revision more for each change, none for lists that are the same, and never alters a view', async () => {
    await using t = await openTestRegistry()
    const id = await t.add('a', ['read'])
    const { revision } = t.registry.catalog
    const before = t.registry.catalog.view()!
    await t.registry.publishSnapshot(snapshotOf(id, { tools: ['read'] }, { fetchedAt: 5 }))
    expect(t.registry.catalog.revision).toBe(revision)
    await t.registry.publishSnapshot(snapshotOf(id, { tools: ['write'] }))
    expect(t.registry.catalog.revision).toBe(revision + 1)
    expect(names(before.tools)).toEqual(['a__read'])
    expect(names(t.registry.catalog.view()?.tools)).toEqual(['a__write'])
  })

  test('is as before after a restart, before anything is connected', async () => {
    await using t = await openTestRegistry()
    await t.add('a', ['read', 'ä', 'x'.repeat(80)])
    await t.add('b', ['read'], { prefix: 'a' })
    const before = t.registry.catalog.view()!
    const after = (await t.reopened()).catalog.view()!
    expect(after.tools.map(({ text, id, exposedName }) => [text, id, exposedName])).toEqual(
      before.tools.map(({ text, id, exposedName }) => [text, id, exposedName]),
    )
    expect(new Set(names(after.tools)).size).toBe(4)
  })

  test('shows definitions to the letter but for the name', async () => {
    await using t = await openTestRegistry()
    await t.add('a', ['read'])
    await t.add('whole', ['plain'], { prefix: '' })
    expect(t.registry.catalog.view()?.tools.map(({ text }) => text)).toEqual([
      '{"name": "a__read", "x": 1.0}',
      '{"name": "plain", "x": 1.0}',
    ])
  })

  test('reports a collision and resolves both names to their own servers', async () => {
    await using t = await openTestRegistry()
    const one = await t.add('one', ['read'], { prefix: '' })
    const two = await t.add('two', ['read'], { prefix: '' })
    const { catalog } = t.registry
    const [collision] = catalog.collisions()
    expect(collision).toMatchObject({ upstreamId: two, wanted: 'read', originalName: 'read' })
    expect(catalog.view()?.toolByName.get('read')?.upstreamId).toBe(one)
    expect(catalog.view()?.toolByName.get(collision!.given)?.upstreamId).toBe(two)
  })

  test('leaves out what is disabled, keeps it for the operator, and drops what is removed', async () => {
    await using t = await openTestRegistry()
    const id = await t.add('a', ['read', 'write'])
    await t.registry.overrideTool('a__write', { enabled: false })
    expect(names(t.registry.catalog.view()?.tools)).toEqual(['a__read'])
    expect(names(t.registry.catalog.allTools())).toEqual(['a__read', 'a__write'])
    await t.registry.upstreams.update(id, { enabled: false })
    expect(t.registry.catalog.view()?.tools).toEqual([])
    await t.registry.upstreams.remove(id)
    expect(t.registry.catalog.allTools()).toEqual([])
    expect(await t.storage.registry.names.list()).toEqual([])
    expect(await t.storage.registry.overrides.list()).toEqual([])
    expect(await t.storage.registry.snapshots.list()).toEqual([])
  })

  test('shows the first of two equal URIs', async () => {
    await using t = await openTestRegistry()
    for (const name of ['a', 'b']) {
      const { id } = await t.registry.upstreams.register(upstreamDraft(name))
      await t.registry.publishSnapshot(snapshotOf(id, { resources: ['ui://x'], templates: ['t://{id}'] }))
    }
    const view = t.registry.catalog.view()!
    expect([view.resources, view.templates].map((list) => list.map(({ server }) => server))).toEqual([['a'], ['a']])
    expect(view.resourceByUri.get('ui://x')?.server).toBe('a')
  })
})

describe('R252 a namespace', () => {
  test('shows what its servers, patterns and overrides say', async () => {
    await using t = await openTestRegistry()
    await t.add('a', ['read', 'delete_all', 'write'])
    await t.add('b', ['read'])
    const overrides = { a__read: { name: 'look', description: 'Looks "well"' } }
    await t.registry.namespaces.register(
      namespaceDraft('dev', { servers: ['a'], include: ['a__*'], exclude: ['*delete*'], overrides }),
    )
    const view = t.registry.catalog.view('dev')!
    expect(names(view.tools)).toEqual(['look', 'a__write'])
    expect(view.toolByName.get('look')).toMatchObject({
      originalName: 'read',
      definition: { name: 'look', description: 'Looks "well"', x: 1 },
    })
    expect(t.registry.catalog.view('none')).toBeUndefined()
    expect(t.registry.catalog.view('__proto__')).toBeUndefined()
  })

  test('changes no tool whose name an object has by itself', async () => {
    await using t = await openTestRegistry()
    const odd = ['constructor', 'toString', '__proto__', 'valueOf']
    await t.add('odd', odd, { prefix: '' })
    await t.registry.namespaces.register(namespaceDraft('dev'))
    expect(names(t.registry.catalog.view('dev')?.tools)).toEqual(odd)
    for (const name of odd) expect(t.registry.catalog.view('dev')?.toolByName.get(name)?.originalName).toBe(name)
  })
})

describe('R252 an override', () => {
  test('renames, describes and survives a restart; a name that is taken is refused', async () => {
    await using t = await openTestRegistry()
    await t.add('a', ['read', 'write'])
    const renamed = await t.registry.overrideTool('a__read', { exposedName: 'look', description: 'Ä' })
    expect(renamed).toMatchObject({
      exposedName: 'look',
      originalName: 'read',
      definition: { name: 'look', description: 'Ä' },
    })
    await expect(t.registry.overrideTool('a__write', { exposedName: 'look' })).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(t.registry.overrideTool('nothing', {})).rejects.toMatchObject({ code: 'tool_not_found' })
    expect(await t.registry.overrideTool(renamed.id, { tags: ['x'] })).toMatchObject({
      exposedName: 'look',
      tags: ['x'],
    })
    expect((await t.reopened()).catalog.view()?.toolByName.get('look')).toMatchObject({ tags: ['x'], id: renamed.id })
  })
})

describe('R252 operations on records', () => {
  test('of two registrations of one name exactly one succeeds', async () => {
    await using t = await openTestRegistry()
    const results = await Promise.allSettled([1, 2, 3].map(() => t.registry.upstreams.register(upstreamDraft('a'))))
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(t.registry.upstreams.list()).toHaveLength(1)
  })

  test('changes that come at once are all kept, here and in the store', async () => {
    await using t = await openTestRegistry()
    const { id } = await t.registry.upstreams.register(upstreamDraft('a'))
    const { update, get } = t.registry.upstreams
    await Promise.all([update(id, { prefix: 'p' }), update('a', { timeoutMs: 5 }), update(id, { description: 'd' })])
    for (const record of [get('a'), (await t.reopened()).upstreams.get(id)])
      expect(record).toMatchObject({ prefix: 'p', timeoutMs: 5, description: 'd' })
  })

  test('what is removed is unknown at once and its name is free; removing twice is an error, not a surprise', async () => {
    await using t = await openTestRegistry()
    const { httpTools } = t.registry
    await httpTools.register(httpToolDraft('weather'))
    const twice = await Promise.allSettled([httpTools.remove('weather'), httpTools.remove('weather')])
    expect(twice.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(() => httpTools.get('weather')).toThrow(expect.objectContaining({ code: 'tool_not_found' }))
    await httpTools.register(httpToolDraft('weather'))
    expect(names(t.registry.catalog.view()?.tools)).toEqual(['weather'])
  })

  test('a failed write changes nothing and stops nothing', async () => {
    await using t = await openTestRegistry()
    await t.registry.upstreams.register(upstreamDraft('a'))
    await t.registry.upstreams.register(upstreamDraft('b'))
    await expect(t.registry.upstreams.update('b', { name: 'a' })).rejects.toMatchObject({ code: 'conflict' })
    expect(t.registry.upstreams.list().map(({ name }) => name)).toEqual(['a', 'b'])
    await expect(t.registry.upstreams.update('b', { prefix: 'x' })).resolves.toMatchObject({ name: 'b', prefix: 'x' })
  })
})

const file = (more: Partial<FileContents> = {}): FileContents => {
  return { servers: [upstreamDraft('a')], tools: [], namespaces: [], ...more }
}

describe('R252 the operator’s file', () => {
  test('leaves edits over the API alone while its entry is the same, over restarts too', async () => {
    await using t = await openTestRegistry()
    await applyFile(t.registry, file(), quiet)
    await t.registry.upstreams.update('a', { enabled: false, prefix: 'mine' })
    await applyFile(t.registry, file(), quiet)
    const again = await t.reopened()
    await applyFile(again, file(), quiet)
    for (const registry of [t.registry, again])
      expect(registry.upstreams.get('a')).toMatchObject({ enabled: false, prefix: 'mine', origin: 'file' })
  })

  test('wins as a whole when its entry has changed: what the entry no longer says is gone', async () => {
    await using t = await openTestRegistry()
    const dev = namespaceDraft('dev', { servers: ['a'], description: 'Few' })
    await applyFile(t.registry, file({ namespaces: [dev] }), quiet)
    const { id, createdAt } = t.registry.namespaces.get('dev')
    await t.registry.namespaces.update('dev', { exclude: ['*'] })
    await applyFile(t.registry, file({ namespaces: [namespaceDraft('dev')] }), quiet)
    const record = t.registry.namespaces.get('dev')
    expect(record).toMatchObject({ id, createdAt, exclude: [], origin: 'file' })
    expect(record).not.toHaveProperty('servers')
    expect(record).not.toHaveProperty('description')
    expect((await t.reopened()).namespaces.get('dev')).toEqual(record)
  })

  test('takes away what it no longer names and nothing that came over the API', async () => {
    await using t = await openTestRegistry()
    await applyFile(t.registry, file({ servers: [upstreamDraft('a'), upstreamDraft('b')] }), quiet)
    await t.registry.upstreams.register(upstreamDraft('mine'))
    await applyFile(t.registry, file({ servers: [upstreamDraft('b')] }), quiet)
    expect(t.registry.upstreams.list().map(({ name }) => name)).toEqual(['b', 'mine'])
    await expect(t.registry.upstreams.remove('b')).rejects.toMatchObject({ code: 'conflict' })
    await t.registry.upstreams.remove('mine')
  })

  test('takes over a record of the API that it names', async () => {
    await using t = await openTestRegistry()
    const { id } = await t.registry.upstreams.register(upstreamDraft('a', { prefix: 'api' }))
    await applyFile(t.registry, file(), quiet)
    expect(t.registry.upstreams.get('a')).toMatchObject({ id, prefix: 'a', origin: 'file' })
  })

  test('is applied but for the entries that cannot be, and the log names those', async () => {
    await using t = await openTestRegistry()
    const errors: unknown[] = []
    const log: Logger = { ...quiet, error: (fields) => void errors.push(fields) }
    const servers = [upstreamDraft('b\0'), upstreamDraft('c')]
    const broken = {
      ...t.registry,
      upstreams: { ...t.registry.upstreams, register: refusing('b\0', t.registry.upstreams.register) },
    }
    await applyFile(broken, file({ servers }), log)
    expect(t.registry.upstreams.list().map(({ name }) => name)).toEqual(['c'])
    expect(errors).toEqual([{ name: 'b\0', error: 'no' }])
  })
})

function refusing<A extends [{ readonly name: string }, ...unknown[]], R>(
  name: string,
  register: (...args: A) => Promise<R>,
) {
  return (...args: A): Promise<R> => (args[0].name === name ? Promise.reject(new Error('no')) : register(...args))
}
