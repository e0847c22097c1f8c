import { openAudit } from '#audit/audit-log'
import type { CallResult, Call } from '#gateway/call'
import { createResultCache } from '#gateway/result-cache'
import { openAccess } from '#gateway/open-access'
import { createApi, type Api } from '#http/api'
import type { ApiDeps } from '#http/api-deps'
import { createResources } from '#identity/resources'
import { NO_BROADCAST } from '#kernel/broadcast'
import { createForwarding } from '#identity/forwarding'
import { uuidv7 } from '#kernel/ids'
import type { LogFields, Logger } from '#kernel/logger'
import { exposureOf } from '#mcp/exposure'
import { createBreakers } from '#gateway/breakers'
import { openRegistry } from '#registry/registry'
import type { Catalog } from '#registry/registry-api'
import type { UpstreamSnapshot } from '#registry/snapshot'
import type { UpstreamStatus } from '#registry/upstream-status'
import { openToolSearch, type SearchStores } from '#search/open-tool-search'
import { openStorage, type Storage } from '#storage/open-storage'
import { createMetrics } from '#telemetry/metrics'

import { everything } from './test-call.ts'

export interface LogLine {
  readonly level: keyof Logger
  readonly phrase: string
  readonly fields: LogFields
}

/** The real API over a real registry and an in-memory database; only what lies behind the gateway is played. */
export interface TestApi extends AsyncDisposable {
  readonly api: Api
  readonly deps: ApiDeps
  readonly storage: Storage
  /** What reached the gateway. */
  readonly calls: Call[]
  readonly lines: LogLine[]
  /** Sends JSON, or the text as it is. */
  send(method: Method, url: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

export interface Reply {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly text: string
  /** The parsed body; undefined when there is none. */
  readonly body: unknown
}

/** A cache of results that no other gateway shares. */
const ALONE = { enabled: true, texts: undefined, broadcast: NO_BROADCAST } as const

export const ONLINE: UpstreamStatus = { state: 'online', reason: 'It answers', sessions: 1, pids: [4242] }

export async function openTestApi(overrides: Partial<ApiDeps> = {}): Promise<TestApi> {
  const lines: LogLine[] = []
  const calls: Call[] = []
  const log = recordingLogger(lines)
  const storage = await openStorage({ kind: 'sqlite', path: ':memory:' }, { log, now: Date.now })
  const registry = await openRegistry({ stores: storage.registry, now: Date.now, newId: uuidv7 })
  const search = await openTestSearch(registry.catalog, storage.search, { log })
  const secret = Buffer.from('only-for-tests-0123456789-abcdefghijklmnop')
  const settings = {
    anonymousRole: 'admin',
    accessTokenMs: 1_800_000,
    refreshTokenMs: 86_400_000,
    administrator: { username: 'admin' },
  }
  const access = await openAccess({
    catalog: registry.catalog,
    stores: storage,
    secret,
    settings,
    resources: createResources(undefined, 'http://localhost:8000'),
    log,
    now: Date.now,
    newId: uuidv7,
  })
  const audit = openAudit({ store: storage.audit, secret, log, now: Date.now, newId: uuidv7 })
  let level: ReturnType<ApiDeps['logLevel']> = 'INFO'
  const deps: ApiDeps = {
    registry,
    gateway: {
      run(call) {
        calls.push(call)
        return Promise.resolve(resultOf('{"content":[{"type":"text","text":"done"}]}'))
      },
    },
    executions: storage.executions,
    audit,
    results: createResultCache({ ...ALONE, bytesMax: 1_000_000, log, now: Date.now }),
    search,
    exposureOf,
    definitionTokens: () => ({ namespaces: [], sessions: [] }),
    metrics: createMetrics([]),
    breakers: testBreakers(registry.catalog),
    ...access,
    upstreams: { status: () => ONLINE, logs: () => [], restart: () => Promise.resolve() },
    health: {
      version: '1.2.3',
      startedAt: Date.now(),
      isDraining: () => false,
      sessions: () => 0,
      checkStorage: () => storage.check(),
      history: () => ({ days: 30, removed: 0, failure: undefined }),
      freeSpace: () => Promise.resolve({ freeBytes: 5e9, totalBytes: 1e10 }),
      workload: { running: 0, queues: () => [], unwritten: () => 0 },
    },
    forwarding: createForwarding([]),
    log,
    bodyBytesMax: 1_000_000,
    toolTimeoutMs: 30_000,
    now: Date.now,
    newId: uuidv7,
    rotateSecrets: async () => ({ ...(await storage.reseal()), keyId: 'k1', isNew: true }),
    logLevel: () => level,
    setLogLevel: (wanted) => {
      level = wanted
    },
    ...overrides,
  }
  const api = await createApi(deps)
  return {
    api,
    deps,
    storage,
    calls,
    lines,
    send: (method, url, body, headers = {}) => send(api, method, url, { body, headers }),
    async [Symbol.asyncDispose]() {
      await api.close()
      await audit[Symbol.asyncDispose]()
      await search[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
    },
  }
}

function testBreakers(catalog: Catalog): ApiDeps['breakers'] {
  const rules = { failures: 5, recoveryMs: 60_000, successes: 2 }
  return createBreakers({ rules, catalog, alternatives: () => [], changed() {}, now: Date.now })
}

/** The search without the model, which takes half a second to load. */
export function openTestSearch(catalog: Catalog, stores: SearchStores, { log }: { readonly log: Logger }) {
  const settings = { embedder: 'static', learning: true } as const
  return openToolSearch({ catalog, views: everything(catalog), stores, settings, log, now: Date.now })
}

/** A result as an upstream called `files` would give it. */
export function resultOf(text: string): CallResult {
  return { text, value: JSON.parse(text) as CallResult['value'], server: 'files', era: 'legacy' }
}

/** Registers a server and publishes tools for it, as if it had been connected. */
export async function addServer({ deps: { registry } }: TestApi, name: string, tools: readonly string[]) {
  const record = await registry.upstreams.register({
    name,
    connection: { kind: 'stdio', command: 'node', args: ['server.js'], env: { API_KEY: 'sk-very-secret' } },
    prefix: name,
    enabled: true,
    era: 'auto',
    start: 'lazy',
    share: 'auto',
    timeoutMs: 30_000,
    maxConcurrency: 16,
  })
  await registry.publishSnapshot(snapshotOf(record.id, tools))
  return record
}

function snapshotOf(upstreamId: string, tools: readonly string[]): UpstreamSnapshot {
  return {
    upstreamId,
    fetchedAt: Date.now(),
    verdict: { era: 'legacy', protocolVersion: '2025-11-25', probedAt: Date.now() },
    capabilities: { tools: {} },
    tools: tools.map((key) => ({ key, text: definitionOf(key) })),
    resources: [],
    templates: [],
    prompts: [],
  }
}

function definitionOf(name: string): string {
  return JSON.stringify({ name, description: `Does ${name}`, inputSchema: { type: 'object' } })
}

async function send(
  api: Api,
  method: Method,
  url: string,
  { body, headers }: { body: unknown; headers: Record<string, string> },
): Promise<Reply> {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const type = payload === undefined ? {} : { 'content-type': 'application/json' }
  const reply = await api.inject({
    method,
    url,
    headers: { ...type, ...headers },
    ...(payload === undefined ? {} : { payload }),
  })
  const text = reply.payload
  return { status: reply.statusCode, headers: reply.headers, text, body: parsed(text, reply.headers['content-type']) }
}

function parsed(text: string, type: unknown): unknown {
  return text !== '' && String(type).startsWith('application/json') ? JSON.parse(text) : undefined
}

function recordingLogger(lines: LogLine[]): Logger {
  const line = (level: keyof Logger) => (fields: LogFields, phrase: string) =>
    void lines.push({ level, phrase, fields })
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}
