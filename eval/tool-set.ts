import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOCAL_PRINCIPAL } from '#identity/principal'
import { uuidv7 } from '#kernel/ids'
import type { Logger } from '#kernel/logger'
import { createVisibleViews } from '#gateway/visible-views'
import { createPolicy } from '#policy/policy'
import { BUILT_IN_ROLES } from '#policy/roles'
import { openRegistry } from '#registry/registry'
import type { Registry } from '#registry/registry-api'
import { openToolSearch, type OpenSearch } from '#search/open-tool-search'
import type { SearchMode } from '#search/fusion'
import type { FoundTool } from '#search/tool-search'
import { openStorage } from '#storage/open-storage'

export interface Tool {
  readonly id: string
  readonly server: string
  readonly serverTitle?: string
  readonly serverDescription?: string
  readonly name: string
  readonly description?: string
  readonly inputSchema?: unknown
}

export interface Query {
  readonly text: string
  /** Groups of equally right tools. */
  readonly groups: readonly (readonly string[])[]
}

/** A set of tools in a registry of its own, with the search over it. */
export interface ToolSet extends AsyncDisposable {
  readonly queries: readonly Query[]
  readonly search: OpenSearch
  /** The ids of what was found, the best first. */
  find(query: string, mode: SearchMode, limit?: number): Promise<string[]>
  /** A call of a tool that was found and did not fail. */
  call(id: string): void
  /** Resolves when the neural tier knows all tools. */
  complete(): Promise<void>
}

const FOUND_MAX = 10
const log: Logger = { debug() {}, info() {}, warn: console.error, error: console.error }
const now = Date.now
const asked = { principal: LOCAL_PRINCIPAL, surface: 'rest', threshold: 0 } as const

export async function openToolSet(folder: string, embedder: 'minilm' | 'static', vectors: string): Promise<ToolSet> {
  const tools = lines<Tool>(join(folder, 'tools.jsonl'))
  const storage = await openStorage({ kind: 'sqlite', path: ':memory:' }, { log, now })
  const kept = await openStorage({ kind: 'sqlite', path: vectors }, { log, now })
  const registry = await openRegistry({ stores: storage.registry, now, newId: uuidv7 })
  for (const [server, own] of Map.groupBy(tools, (tool) => tool.server)) await registerServer(registry, server, own)
  const settings = { embedder, learning: true }
  const { catalog } = registry
  const stores = { ...storage.search, vectors: kept.search.vectors }
  const search = await openToolSearch({
    catalog,
    views: createVisibleViews(catalog, createPolicy(BUILT_IN_ROLES)),
    stores,
    settings,
    log,
    now,
  })
  const ids = new Map(tools.map((tool) => [`${tool.server}\n${tool.name}`, tool.id]))
  const idOf = ({ tool }: FoundTool): string => ids.get(`${tool.server}\n${tool.originalName}`) ?? ''
  const exposed = new Map(
    catalog.allTools().map((tool) => [ids.get(`${tool.server}\n${tool.originalName}`), tool.exposedName]),
  )
  return {
    queries: queriesOf(folder),
    search,
    async find(text, mode, limit = FOUND_MAX) {
      const { found } = await search.search({ text, mode, ...asked, limit })
      return found.map(idOf)
    },
    call: (id) => search.called({ principal: LOCAL_PRINCIPAL, namespace: undefined, name: exposed.get(id) ?? '' }),
    async complete() {
      await search.search({ text: 'tool', mode: 'keyword', ...asked, limit: 1 })
      for (;;) {
        const progress = search.progress()
        if (!progress || progress.known === progress.wanted) return
        if (progress.failure !== undefined) throw new Error(progress.failure)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    async [Symbol.asyncDispose]() {
      await search[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
      await kept[Symbol.asyncDispose]()
    },
  }
}

function queriesOf(folder: string): Query[] {
  const rows = lines<{ text: string; relevant: string[]; groups?: string[][] }>(join(folder, 'queries.jsonl'))
  return rows.map(({ text, relevant, groups = relevant.map((id) => [id]) }) => ({ text, groups }))
}

function lines<T>(path: string): T[] {
  const texts = readFileSync(path, 'utf8').trim().split('\n')
  return texts.map((text) => JSON.parse(text) as T)
}

/** Makes a server known as if it had been connected once. */
export async function registerServer(registry: Registry, server: string, tools: readonly Tool[]): Promise<void> {
  const { id } = await registry.upstreams.register({
    name: server,
    connection: { kind: 'http', url: 'http://127.0.0.1:9/mcp', headers: {}, transport: 'auto' },
    prefix: '',
    enabled: true,
    era: 'auto',
    start: 'lazy',
    share: 'auto',
    timeoutMs: 30_000,
    maxConcurrency: 16,
  })
  const { serverTitle: title, serverDescription: description } = tools[0] ?? {}
  await registry.publishSnapshot({
    upstreamId: id,
    fetchedAt: now(),
    verdict: { era: 'legacy', protocolVersion: '2025-11-25', probedAt: now() },
    capabilities: { tools: {} },
    serverInfoText: JSON.stringify({ name: server, title, description }),
    tools: tools.map(({ name, description: text, inputSchema }) => {
      return { key: name, text: JSON.stringify({ name, description: text, inputSchema }) }
    }),
    resources: [],
    templates: [],
    prompts: [],
  })
}
