import type { Logger } from '#kernel/logger'
import { uuidv7 } from '#kernel/ids'
import type { CatalogChange } from '#registry/catalog-view'
import type { HttpToolDraft, NamespaceDraft, Registry, UpstreamDraft } from '#registry/registry-api'
import { openRegistry } from '#registry/registry'
import type { PrimitiveText, UpstreamSnapshot } from '#registry/snapshot'
import { openStorage, type Storage } from '#storage/open-storage'

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A real registry over a database in memory. */
export interface TestRegistry extends AsyncDisposable {
  readonly registry: Registry
  readonly storage: Storage
  /** What the catalog told so far. */
  readonly changes: CatalogChange[]
  /** The registry that a restart would open. */
  reopened(): Promise<Registry>
  /** Registers an upstream and publishes lists for it. */
  add(name: string, tools: readonly string[], more?: Partial<UpstreamDraft>): Promise<string>
}

export async function openTestRegistry(): Promise<TestRegistry> {
  const storage = await openStorage({ kind: 'sqlite', path: ':memory:' }, { log: quiet, now: Date.now })
  const open = () => openRegistry({ stores: storage.registry, now: Date.now, newId: uuidv7 })
  const registry = await open()
  const changes: CatalogChange[] = []
  registry.catalog.onChange((change) => void changes.push(change))
  return {
    registry,
    storage,
    changes,
    reopened: open,
    async add(name, tools, more = {}) {
      const { id } = await registry.upstreams.register(upstreamDraft(name, more))
      await registry.publishSnapshot(snapshotOf(id, { tools }))
      return id
    },
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

export function upstreamDraft(name: string, more: Partial<UpstreamDraft> = {}): UpstreamDraft {
  return {
    name,
    connection: { kind: 'stdio', command: 'node', args: [], env: {} },
    prefix: name,
    enabled: true,
    era: 'auto',
    start: 'lazy',
    share: 'auto',
    timeoutMs: 1000,
    maxConcurrency: 4,
    ...more,
  }
}

export function httpToolDraft(name: string, more: Partial<HttpToolDraft> = {}): HttpToolDraft {
  return {
    name,
    description: 'Does it',
    endpoint: 'http://127.0.0.1:9/do',
    method: 'POST',
    headers: {},
    inputSchema: { type: 'object' },
    tags: [],
    capabilities: [],
    securityLevel: 0,
    metadata: {},
    enabled: true,
    timeoutMs: 1000,
    ...more,
  }
}

export function namespaceDraft(name: string, more: Partial<NamespaceDraft> = {}): NamespaceDraft {
  return { name, include: [], exclude: [], expose: 'all', overrides: {}, ...more }
}

type Lists = Partial<Record<'tools' | 'prompts' | 'resources' | 'templates', readonly string[]>>

/** Lists with definitions that say no more than the key. */
export function snapshotOf(upstreamId: string, lists: Lists, more: Partial<UpstreamSnapshot> = {}): UpstreamSnapshot {
  return {
    upstreamId,
    fetchedAt: 0,
    verdict: { era: 'legacy', protocolVersion: '2025-11-25', probedAt: 0 },
    capabilities: { tools: {}, prompts: {}, resources: {} },
    tools: named(lists.tools),
    prompts: named(lists.prompts),
    resources: named(lists.resources, 'uri'),
    templates: named(lists.templates, 'uriTemplate'),
    ...more,
  }
}

function named(keys: readonly string[] = [], member = 'name'): PrimitiveText[] {
  return keys.map((key) => ({ key, text: `{"${member}": ${JSON.stringify(key)}, "x": 1.0}` }))
}
