import { resolve } from 'node:path'
import type { CacheRule } from '#registry/records'
import type { HttpToolDraft, NamespaceDraft, UpstreamDraft } from '#registry/registry-api'
import type { CacheEntry, ConfigFile, ServerEntry, ToolRulesEntry } from '#contract/config-file'
import { httpTransport } from '#kernel/http-transport'
import type { DiscoverySource, DynamicConfig, GuardConfig } from './config.ts'
import { pathOf } from './setting-values.ts'

type Connection = UpstreamDraft['connection']

const CONCURRENCY_DEFAULT = 64

/** What a checked file says about servers, tools, namespaces, guards and discovery, with every default filled in. */
export function dynamicOf(file: ConfigFile, toolTimeoutMs: number): DynamicConfig {
  const servers = { ...file.mcpServers, ...file.servers }
  return {
    servers: Object.entries(servers).map(([name, entry]) => upstreamOf(name, entry, toolTimeoutMs)),
    tools: Object.entries(file.tools ?? {}).map(([name, entry]) => toolOf(name, entry, toolTimeoutMs)),
    namespaces: Object.entries(file.namespaces ?? {}).map(([name, entry]) => namespaceOf(name, entry)),
    guards: (file.guards ?? []).map(guardOf),
    discovery: (file.discovery ?? []).map(discoveryOf),
  }
}

function upstreamOf(name: string, entry: ServerEntry, toolTimeoutMs: number): UpstreamDraft {
  return {
    name,
    connection: connectionOf(entry),
    prefix: entry.prefix ?? name.replaceAll(/[^A-Za-z0-9_-]/g, '_'),
    enabled: entry.enabled ?? entry.disabled !== true,
    era: entry.era ?? 'auto',
    start: entry.start ?? 'eager',
    share: entry.share ?? 'auto',
    timeoutMs: entry.timeoutMs ?? toolTimeoutMs,
    maxConcurrency: entry.maxConcurrency ?? CONCURRENCY_DEFAULT,
    ...enduranceOf(entry),
    ...present({ description: entry.description, tools: entry.tools && rulesOf(entry.tools) }),
    ...present({ cache: cacheOf(entry.cache) }),
  }
}

type Endurance = Pick<UpstreamDraft, 'breaker' | 'attempts'>

function enduranceOf({ breaker, retry }: Pick<ToolRulesEntry, 'breaker' | 'retry'>): Endurance {
  const seconds = breaker?.recoverySeconds
  const { failures, successes } = breaker ?? {}
  const recoveryMs = seconds === undefined ? undefined : Math.round(seconds * 1000)
  return present({ breaker: breaker && present({ failures, recoveryMs, successes }), attempts: retry?.attempts })
}

function rulesOf(tools: Readonly<Record<string, ToolRulesEntry>>): NonNullable<UpstreamDraft['tools']> {
  const entries = Object.entries(tools).map(([name, rules]) => {
    const { timeoutMs, fallback, readOnly } = rules
    const more = { timeoutMs, fallback, readOnly, cache: cacheOf(rules.cache) }
    return [name, { ...enduranceOf(rules), ...present(more) }] as const
  })
  return Object.fromEntries(entries)
}

function connectionOf(entry: ServerEntry): Connection {
  const { url, cwd } = entry
  if (url !== undefined) {
    return {
      kind: 'http',
      url,
      headers: entry.headers ?? {},
      transport: httpTransport(url, entry.transport ?? entry.type),
    }
  }
  return {
    kind: 'stdio',
    command: entry.command ?? '',
    args: entry.args ?? [],
    env: entry.env ?? {},
    ...(cwd === undefined ? {} : { cwd: pathOf(cwd) }),
  }
}

function toolOf(name: string, entry: NonNullable<ConfigFile['tools']>[string], toolTimeoutMs: number): HttpToolDraft {
  const { outputSchema, annotations, category, version, mapping, readOnly } = entry
  return {
    name,
    endpoint: entry.endpoint,
    method: entry.method ?? 'POST',
    description: entry.description ?? '',
    headers: entry.headers ?? {},
    inputSchema: entry.inputSchema ?? { type: 'object' },
    tags: entry.tags ?? [],
    capabilities: entry.capabilities ?? [],
    securityLevel: entry.securityLevel ?? 0,
    metadata: entry.metadata ?? {},
    enabled: entry.enabled ?? true,
    timeoutMs: entry.timeoutMs ?? toolTimeoutMs,
    ...enduranceOf(entry),
    ...present({ fallback: entry.fallback, outputSchema, annotations, category, version, mapping }),
    ...present({ readOnly, cache: cacheOf(entry.cache) }),
  }
}

function cacheOf(entry: CacheEntry | undefined): CacheRule | undefined {
  return (
    entry &&
    present({
      ttlMs: millisecondsOf(entry.ttlSeconds),
      staleWhileRevalidateMs: millisecondsOf(entry.staleWhileRevalidateSeconds),
      staleIfErrorMs: millisecondsOf(entry.staleIfErrorSeconds),
    })
  )
}

function millisecondsOf(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

function namespaceOf(name: string, entry: NonNullable<ConfigFile['namespaces']>[string]): NamespaceDraft {
  const { description, servers, pinned, overrides = {} } = entry
  return {
    name,
    include: entry.tools?.include ?? [],
    exclude: entry.tools?.exclude ?? [],
    expose: entry.expose ?? 'all',
    overrides: Object.fromEntries(Object.entries(overrides).map(([tool, change]) => [tool, present(change)])),
    ...present({ description, servers, pinned, cache: cacheOf(entry.cache) }),
  }
}

function guardOf(entry: NonNullable<ConfigFile['guards']>[number]): GuardConfig {
  const { deny, setArguments, redact, module } = entry
  return {
    tools: entry.tools,
    ...present({ deny, setArguments, redact, module: module === undefined ? undefined : resolve(module) }),
  }
}

function discoveryOf(entry: NonNullable<ConfigFile['discovery']>[number]): DiscoverySource {
  if (entry.kind === 'file') return { kind: 'file', path: pathOf(entry.path) }
  if (entry.kind === 'registry') return { kind: 'registry', url: entry.url, ...present({ search: entry.search }) }
  return { kind: 'network', hosts: entry.hosts, ports: entry.ports, path: entry.path ?? '/mcp' }
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> }

/** The members that have a value: a key with undefined is not the same as no key. */
function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>
}
