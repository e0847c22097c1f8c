import { describe, expect, test } from 'vitest'
import { openTestApi, type TestApi } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'
import { AppError } from '#kernel/errors'
import { createDiscoveryFeed, type DiscoveryFeed } from './apply-discovery.ts'
import type { Discovery } from './discovery.ts'
import type { SourceEvents } from './discovery-watch.ts'
import type { DiscoverySource, FoundServer } from './found-server.ts'

const FILE: DiscoverySource = { kind: 'file', path: '/config/servers.json' }
const NETWORK: DiscoverySource = { kind: 'network', hosts: ['127.0.0.1'], ports: [9000], path: '/mcp' }
const REGISTRY: DiscoverySource = { kind: 'registry', url: 'https://registry.example.com' }

const at = (name: string, url = `https://${name}.example.com/mcp`): FoundServer => ({
  name,
  connection: { kind: 'http', url, headers: {}, transport: 'auto' },
})
const command = (name: string): FoundServer => ({
  name,
  connection: { kind: 'stdio', command: 'npx', args: ['-y', name], env: {} },
})

/** A feed over a real registry; what the sources say is the test's. */
async function openFeed(sources: DiscoverySource[]) {
  const t: TestApi = await openTestApi()
  const says = new Map<DiscoverySource, FoundServer[] | AppError>()
  const watches: { sources: readonly DiscoverySource[]; events: SourceEvents; isOver: boolean }[] = []
  const discovery: Discovery = {
    find(source) {
      const answer = says.get(source) ?? []
      return answer instanceof AppError ? Promise.reject(answer) : Promise.resolve(answer)
    },
    watch(watched, events) {
      const watch = { sources: watched, events, isOver: false }
      watches.push(watch)
      return { [Symbol.dispose]: () => void (watch.isOver = true) }
    },
  }
  const { registry, log } = t.deps
  const feed: DiscoveryFeed = createDiscoveryFeed({
    registry,
    discovery,
    sources: () => sources,
    defaults: { toolTimeoutMs: 12_000 },
    log,
  })
  return {
    ...t,
    says,
    watches,
    feed,
    names: () => registry.upstreams.list().map(({ name }) => name),
    tell: async (source: DiscoverySource, found: FoundServer[]) => watches.at(-1)?.events.everyFound(found, source),
    async [Symbol.asyncDispose]() {
      feed[Symbol.dispose]()
      await t[Symbol.asyncDispose]()
    },
  }
}

describe('what discovery finds becomes a server (R002, R003, R123)', () => {
  test('with the origin discovery and the defaults of the gateway', async () => {
    await using t = await openFeed([FILE])
    t.feed.start()
    await t.tell(FILE, [{ ...at('io.example/docs'), description: 'Docs' }])
    expect(t.deps.registry.upstreams.get('io.example/docs')).toMatchObject({
      origin: 'discovery',
      prefix: 'io_example_docs',
      description: 'Docs',
      enabled: true,
      start: 'lazy',
      timeoutMs: 12_000,
    })
  })

  test('what vanishes from a file goes, and takes nothing else along', async () => {
    await using t = await openFeed([FILE, NETWORK])
    await t.deps.registry.upstreams.register(draft('by-hand'), 'api')
    t.feed.start()
    await t.tell(FILE, [at('one'), at('two')])
    await t.tell(NETWORK, [at('near')])
    await t.tell(FILE, [at('two')])
    expect(t.names()).toEqual(['by-hand', 'two', 'near'])
  })

  test('what vanished while the gateway was down goes at the first look', async () => {
    await using t = await openFeed([FILE])
    t.feed.start()
    await t.tell(FILE, [at('one'), at('two')])
    const { registry, log } = t.deps
    let events: SourceEvents | undefined
    const discovery: Discovery = {
      find: () => Promise.resolve([]),
      watch: (_sources, given) => {
        events = given
        return { [Symbol.dispose]: () => {} }
      },
    }
    using next = createDiscoveryFeed({
      registry,
      discovery,
      sources: () => [{ ...FILE }],
      defaults: { toolTimeoutMs: 1 },
      log,
    })
    next.start()
    await events?.everyFound([at('two')], { ...FILE })
    expect(t.names()).toEqual(['two'])
  })

  test('while an entry cannot be read nothing is removed', async () => {
    await using t = await openFeed([FILE])
    t.feed.start()
    await t.tell(FILE, [at('one'), at('two')])
    await t.tell(FILE, [at('two'), { name: 'b.json', refused: 'b.json is not valid YAML or JSON at line 1' }])
    expect(t.names()).toEqual(['one', 'two'])
  })

  test('what a rule refuses now is registered no longer', async () => {
    await using t = await openFeed([FILE])
    t.feed.start()
    await t.tell(FILE, [at('one')])
    await t.tell(FILE, [{ ...at('one'), refused: 'The address leads to a host that is not public' }])
    expect(t.names()).toEqual([])
    expect(t.lines).toContainEqual({
      level: 'warn',
      phrase: 'discovered server refused',
      fields: { server: 'one', reason: 'The address leads to a host that is not public' },
    })
  })

  test('what a network does not show any more stays: it may be switched off', async () => {
    await using t = await openFeed([NETWORK])
    t.feed.start()
    await t.tell(NETWORK, [at('near')])
    await t.tell(NETWORK, [])
    expect(t.names()).toEqual(['near'])
  })

  test('a server of a file that moves is followed, its record stays', async () => {
    await using t = await openFeed([FILE])
    t.feed.start()
    await t.tell(FILE, [at('one')])
    const before = t.deps.registry.upstreams.get('one')
    await t.tell(FILE, [at('one', 'https://elsewhere.example.com/mcp')])
    expect(t.deps.registry.upstreams.get('one')).toMatchObject({
      id: before.id,
      origin: 'discovery',
      connection: { url: 'https://elsewhere.example.com/mcp' },
    })
  })

  test('a server of the operator or of another source is never changed', async () => {
    await using t = await openFeed([FILE, NETWORK])
    await t.deps.registry.upstreams.register(draft('mine'), 'file', 'digest')
    t.feed.start()
    await t.tell(NETWORK, [at('near')])
    await t.tell(FILE, [at('mine', 'https://evil.example.com/'), at('near', 'https://evil.example.com/')])
    const urls = t.deps.registry.upstreams.list().map(({ connection }) => connection)
    expect(JSON.stringify(urls)).not.toContain('evil')
    await t.tell(FILE, [])
    expect(t.names()).toEqual(['mine', 'near'])
  })

  test('sources that the configuration names no more take their servers with them', async () => {
    const sources = [FILE, NETWORK]
    await using t = await openFeed(sources)
    t.feed.start()
    await t.tell(FILE, [at('one')])
    await t.tell(NETWORK, [at('near')])
    sources.pop()
    t.feed.start()
    await until('the orphan is gone', () => !t.names().includes('near'))
    expect(t.names()).toEqual(['one'])
    expect(t.watches.map(({ isOver }) => isOver)).toEqual([true, false])
  })

  test('a package of a registry is registered disabled: it would download code and run it', async () => {
    await using t = await openFeed([REGISTRY])
    t.feed.start()
    await t.tell(REGISTRY, [command('pkg'), at('remote')])
    expect(t.deps.registry.upstreams.list().map(({ name, enabled }) => [name, enabled])).toEqual([
      ['pkg', false],
      ['remote', true],
    ])
  })

  test('two looks at once make one record', async () => {
    await using t = await openFeed([FILE])
    t.feed.start()
    t.says.set(FILE, [at('one')])
    const [, ...answers] = await Promise.all([t.tell(FILE, [at('one')]), t.feed.discover(), t.feed.discover(FILE)])
    expect(t.names()).toEqual(['one'])
    expect(answers.flat().map(({ reason }) => reason)).toEqual(['It is registered already', 'It is registered already'])
  })
})

describe('discovery that somebody asks for answers for each server (R123)', () => {
  test('what was registered, what was there and what was refused, with the reason', async () => {
    await using t = await openFeed([])
    await t.deps.registry.upstreams.register(draft('taken'))
    t.says.set(FILE, [
      at('new'),
      at('taken', 'https://x.example.com/'),
      { ...command('sh'), refused: 'No shells' },
      { name: 'b.json', refused: 'Broken' },
    ])
    expect(await t.feed.discover(FILE)).toEqual([
      { name: 'new', transport: 'auto', registered: true, reason: null },
      { name: 'taken', transport: 'auto', registered: false, reason: 'Another server of this name is there already' },
      { name: 'sh', transport: 'stdio', registered: false, reason: 'No shells' },
      { name: 'b.json', transport: 'unknown', registered: false, reason: 'Broken' },
    ])
    expect(await t.feed.discover(FILE)).toMatchObject([
      { registered: false, reason: 'It is registered already' },
      {},
      {},
      {},
    ])
  })

  test('without a place all that the configuration names are asked, and one that fails says so', async () => {
    await using t = await openFeed([FILE, REGISTRY])
    t.says.set(FILE, [at('one')])
    t.says.set(REGISTRY, new AppError('upstream_unavailable', 'The registry answered HTTP 500'))
    expect(await t.feed.discover()).toEqual([
      { name: 'one', transport: 'auto', registered: true, reason: null },
      {
        name: 'https://registry.example.com',
        transport: 'registry',
        registered: false,
        reason: 'The registry answered HTTP 500',
      },
    ])
  })

  test('a place that cannot be asked is an error', async () => {
    await using t = await openFeed([])
    t.says.set(FILE, new AppError('policy_violation', 'Not there'))
    await expect(t.feed.discover(FILE)).rejects.toMatchObject({ code: 'policy_violation' })
  })
})

function draft(name: string) {
  const { connection } = at(name)
  if (!connection) throw new Error('a found server of this test has a connection')
  return {
    name,
    connection,
    prefix: name,
    enabled: true,
    era: 'auto',
    start: 'lazy',
    share: 'auto',
    timeoutMs: 1,
    maxConcurrency: 1,
  } as const
}
