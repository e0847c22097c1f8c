import type { JsonObject } from '#kernel/json'
import { editObject, memberText } from '#kernel/json-text'
import { digest } from '#kernel/seal'
import type { CatalogEntry, CatalogTool } from './catalog-view.ts'
import { legalName, prefixedName, type NameTable } from './exposed-names.ts'
import type { CacheRule, HttpToolRecord, ToolOverrideRecord, ToolRules, UpstreamRecord } from './records.ts'
import type { PrimitiveText, UpstreamSnapshot } from './snapshot.ts'

/** The pseudo upstream that owns plain HTTP tools. */
const HTTP_UPSTREAM = { upstreamId: 'http', server: 'http' } as const
const HTTP_TOOL_CONCURRENCY = 64

/** What one upstream adds to the catalog. */
export interface CatalogPart {
  readonly tools: readonly CatalogTool[]
  readonly prompts: readonly CatalogEntry[]
  readonly resources: readonly CatalogEntry[]
  readonly templates: readonly CatalogEntry[]
}

type Overrides = ReadonlyMap<string, ToolOverrideRecord>

/** An upstream's lists under their exposed names; definitions are otherwise to the letter what it wrote. */
export function upstreamPart(
  record: UpstreamRecord,
  snapshot: UpstreamSnapshot,
  names: NameTable,
  overrides: Overrides,
): CatalogPart {
  const { id: upstreamId, name: server, timeoutMs, maxConcurrency, breaker, attempts } = record
  const owner = { upstreamId, server, timeoutMs, maxConcurrency, breaker, attempts }
  const entry = (primitive: PrimitiveText): CatalogEntry => ({
    ...owner,
    key: primitive.key,
    originalKey: primitive.key,
    text: primitive.text,
  })
  return {
    tools: snapshot.tools.map((tool) => mcpTool(tool, record, names, overrides.get(overrideName(record.id, tool.key)))),
    prompts: snapshot.prompts.map((prompt) => {
      const wanted = prefixedName(record.prefix, prompt.key)
      const key = names.assign({ kind: 'prompt', upstreamId: record.id, originalName: prompt.key, wanted })
      return { ...entry(prompt), key, text: renamed(prompt, key) }
    }),
    resources: snapshot.resources.map(entry),
    templates: snapshot.templates.map(entry),
  }
}

/** Name of the override record of a tool. */
export function overrideName(upstreamId: string, originalName: string): string {
  return `${upstreamId}/${originalName}`
}

function renamed(primitive: PrimitiveText, name: string): string {
  return name === primitive.key ? primitive.text : editObject(primitive.text, { name: JSON.stringify(name) })
}

/** Thousands of tools have them in common. */
const NONE: readonly string[] = Object.freeze([])
const NOTHING: JsonObject = Object.freeze({})

function mcpTool(
  tool: PrimitiveText,
  record: UpstreamRecord,
  names: NameTable,
  override: ToolOverrideRecord | undefined,
): CatalogTool {
  const wanted = override?.exposedName ?? prefixedName(record.prefix, tool.key)
  const rules = rulesOf(record, tool.key, override)
  const exposedName = names.assign({ kind: 'tool', upstreamId: record.id, originalName: tool.key, wanted })
  const described = override?.description === undefined ? {} : { description: JSON.stringify(override.description) }
  const text =
    Object.keys(described).length === 0
      ? renamed(tool, exposedName)
      : editObject(tool.text, { name: JSON.stringify(exposedName), ...described })
  return withDefinition({
    id: digest(overrideName(record.id, tool.key)),
    kind: 'mcp',
    name: exposedName,
    exposedName,
    catalogName: exposedName,
    originalName: tool.key,
    upstreamId: record.id,
    server: record.name,
    text,
    timeoutMs: rules.timeoutMs ?? record.timeoutMs,
    maxConcurrency: record.maxConcurrency,
    breaker: rules.breaker ?? record.breaker,
    hasOwnBreaker: rules.breaker !== undefined,
    attempts: rules.attempts ?? record.attempts,
    fallback: rules.fallback,
    readOnly: rules.readOnly,
    cache: cacheOf(record, rules),
    enabled: override?.enabled ?? true,
    ...(override?.category === undefined ? {} : { category: override.category }),
    tags: override?.tags ?? NONE,
    capabilities: NONE,
    securityLevel: override?.securityLevel ?? 0,
    metadata: override?.metadata ?? NOTHING,
    createdAt: record.createdAt,
    updatedAt: Math.max(record.updatedAt, override?.updatedAt ?? 0),
  })
}

/** What the operator's file says of a tool, and over it what was said over the API. */
function rulesOf({ tools }: UpstreamRecord, key: string, override: ToolOverrideRecord | undefined): ToolRules {
  const filed = tools && Object.hasOwn(tools, key) ? tools[key] : undefined
  return { ...filed, ...override }
}

const NEVER_KEPT: CacheRule = { ttlMs: 0 }

/** What a server does may hang on the session it does it in: where each has its own, nothing is kept for another. */
function cacheOf({ cache, share }: UpstreamRecord, rules: ToolRules): CacheRule | undefined {
  return share === 'never' ? NEVER_KEPT : (rules.cache ?? cache ?? undefined)
}

/** The owner of an HTTP tool's name in the table of names: each has its own, so that its name is free when it is gone. */
export function nameOwner(httpToolId: string): string {
  return `${HTTP_UPSTREAM.upstreamId}/${httpToolId}`
}

/** A plain HTTP API as a tool of the catalog. */
export function httpTool(record: HttpToolRecord, names: NameTable): CatalogTool {
  const wanted = legalName(record.name)
  const upstreamId = nameOwner(record.id)
  const exposedName = names.assign({ kind: 'tool', upstreamId, originalName: record.id, wanted })
  const { description, inputSchema, outputSchema, annotations } = record
  const text = JSON.stringify({ name: exposedName, description, inputSchema, outputSchema, annotations })
  return withDefinition({
    ...HTTP_UPSTREAM,
    id: record.id,
    kind: 'http',
    name: record.name,
    exposedName,
    catalogName: exposedName,
    originalName: record.name,
    text,
    timeoutMs: record.timeoutMs,
    maxConcurrency: HTTP_TOOL_CONCURRENCY,
    breaker: record.breaker,
    attempts: record.attempts,
    fallback: record.fallback,
    readOnly: record.readOnly,
    cache: record.cache ?? undefined,
    enabled: record.enabled,
    ...(record.category === undefined ? {} : { category: record.category }),
    tags: record.tags,
    capabilities: record.capabilities,
    securityLevel: record.securityLevel,
    ...(record.version === undefined ? {} : { version: record.version }),
    metadata: record.metadata,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
  })
}

/** Adds what is derived from the text; the definition is parsed when first asked for. */
export function withDefinition(tool: Omit<CatalogTool, 'definition' | 'inputSchemaText'>): CatalogTool {
  const inputSchemaText = memberText(tool.text, 'inputSchema')
  // A getter of its own, or members that are assigned one by one, would cost each of thousands of tools a kilobyte.
  return { __proto__: LAZY, ...tool, ...(inputSchemaText === undefined ? {} : { inputSchemaText }) } as LazyTool
}

type LazyTool = CatalogTool & { readonly __proto__: typeof LAZY }

const LAZY: Pick<CatalogTool, 'definition'> & ThisType<CatalogTool> = {
  get definition() {
    const definition = JSON.parse(this.text) as JsonObject
    Object.defineProperty(this, 'definition', { value: definition })
    return definition
  },
}
