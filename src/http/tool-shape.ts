import type { Tool, ToolChange, ToolDetails, ToolRegistration } from '#contract/tool'
import { ValidationError } from '#kernel/errors'
import type { JsonObject } from '#kernel/json'
import { objectAt, stringAt } from '#kernel/json'
import { memberText, membersOf } from '#kernel/json-text'
import type { CatalogTool } from '#registry/catalog-view'
import type { HttpToolRecord } from '#registry/records'
import type { HttpToolDraft, ToolOverrideChange } from '#registry/registry-api'
import { cacheRuleBody, cacheRuleOf } from './cache-shape.ts'
import { defined } from './defined.ts'
import { enduranceBody, enduranceMembers } from './endurance-shape.ts'
import { MASK, maskUrl, maskValues, unmaskValues } from '#kernel/masks'
import { isoTime } from './page.ts'

/** A tool as lists show it. Parses the definition for itself: what nobody calls needs not stay parsed. */
export function toolBody(tool: CatalogTool): Tool {
  const definition = JSON.parse(tool.text) as JsonObject
  return {
    ...namesBody(tool),
    description: stringAt(definition, 'description') ?? '',
    input_schema: definition['inputSchema'] ?? null,
    output_schema: definition['outputSchema'] ?? null,
    annotations: definition['annotations'] ?? null,
    ...rulesBody(tool),
    read_only: tool.readOnly ?? objectAt(definition, 'annotations')?.['readOnlyHint'] === true,
  }
}

/** The same as JSON text, with the definition's own text in it. */
export function toolText(tool: CatalogTool): string {
  const { text } = tool
  const said = new Map(membersOf(text).map(({ key, start, end }) => [key, text.slice(start, end)]))
  const description = said.get('description')
  const annotations = said.get('annotations') ?? 'null'
  const definition = [
    `"description":${description?.startsWith('"') ? description : '""'}`,
    `"input_schema":${said.get('inputSchema') ?? 'null'}`,
    `"output_schema":${said.get('outputSchema') ?? 'null'}`,
    `"annotations":${annotations}`,
    `"read_only":${tool.readOnly ?? memberText(annotations, 'readOnlyHint') === 'true'}`,
  ]
  return withMembers(JSON.stringify({ ...namesBody(tool), ...rulesBody(tool) }), `{${definition.join(',')}}`)
}

export function descriptionOf({ text }: CatalogTool): string {
  const description = memberText(text, 'description')
  return description?.startsWith('"') ? (JSON.parse(description) as string) : ''
}

function namesBody(tool: CatalogTool) {
  return {
    id: tool.id,
    name: tool.name,
    exposed_name: tool.exposedName,
    original_name: tool.originalName,
    server: tool.server,
    kind: tool.kind,
  }
}

function rulesBody(tool: CatalogTool) {
  return {
    category: tool.category ?? null,
    tags: [...tool.tags],
    capabilities: [...tool.capabilities],
    security_level: tool.securityLevel,
    version: tool.version ?? null,
    enabled: tool.enabled,
    metadata: tool.metadata,
    timeout_ms: tool.timeoutMs,
    ...enduranceBody(tool),
    fallback: tool.fallback ?? null,
    cache: cacheRuleBody(tool.cache),
    created_at: isoTime(tool.createdAt),
    updated_at: isoTime(tool.updatedAt),
  }
}

/** One object of the members of two that have some. */
export function withMembers(one: string, other: string): string {
  return `${one.slice(0, -1)},${other.slice(1)}`
}

/** A tool in full; `record` is that of an HTTP tool. */
export function toolDetailsBody(tool: CatalogTool, record: HttpToolRecord | undefined): ToolDetails {
  if (!record) return toolBody(tool)
  const { endpoint, method, headers, mapping } = record
  const place = { endpoint: maskUrl(endpoint), method, headers: maskValues(headers), ...defined({ mapping }) }
  return { ...toolBody(tool), ...place }
}

/** What a registration asks for, defaults filled in. */
export function toolDraft(body: ToolRegistration, timeoutMs: number): HttpToolDraft {
  const defaults = {
    method: 'POST',
    headers: {},
    inputSchema: { type: 'object' },
    tags: [],
    capabilities: [],
    securityLevel: 0,
    metadata: {},
    enabled: true,
    timeoutMs,
  } as const
  const { name, description, endpoint } = body
  const draft = { ...defaults, ...recordMembers(body), ...defined(rulesMembers(body)), name, description, endpoint }
  return { ...draft, headers: fullHeaders(draft, undefined) }
}

/** A change to an HTTP tool; header values that read `***` or are not named stay while the tool stays where it is. */
export function httpToolChange(body: ToolChange, before: HttpToolRecord): Partial<HttpToolDraft> {
  const change = { endpoint: maskUrl(before.endpoint), headers: maskValues(before.headers), ...recordMembers(body) }
  const rules = rulesMembers(body)
  const endpoint = change.endpoint === maskUrl(before.endpoint) ? before.endpoint : change.endpoint
  const { endpoint: _endpoint, ...rest } = change
  return {
    ...rest,
    ...rules,
    // What stays where it is keeps the trust that its place has.
    ...(endpoint === before.endpoint ? {} : { endpoint }),
    headers: fullHeaders({ ...change, endpoint }, before),
  } as Partial<HttpToolDraft>
}

type Reached = Pick<HttpToolRecord, 'endpoint' | 'headers'>

function fullHeaders(wanted: Reached, before: Reached | undefined): Readonly<Record<string, string>> {
  const isSamePlace = before !== undefined && originOf(wanted.endpoint) === originOf(before.endpoint)
  const values = unmaskValues(wanted.headers, isSamePlace ? before.headers : {})
  const isMasked = wanted.endpoint.includes(MASK) && wanted.endpoint !== before?.endpoint
  if (values && !isMasked) return values
  throw new ValidationError(`"${MASK}" stands for a value only while the tool stays where it is: give it again`, {
    field: values ? 'endpoint' : 'headers',
  })
}

function originOf(endpoint: string): string | undefined {
  return URL.parse(endpoint)?.origin
}

function recordMembers(body: ToolChange) {
  return defined({
    name: body.name,
    description: body.description,
    endpoint: body.endpoint,
    method: body.method,
    headers: body.headers,
    mapping: body.mapping,
    inputSchema: body.input_schema as JsonObject | undefined,
    outputSchema: body.output_schema as JsonObject | undefined,
    annotations: body.annotations as JsonObject | undefined,
    category: body.category,
    tags: body.tags,
    capabilities: body.capabilities,
    securityLevel: body.security_level,
    version: body.version,
    metadata: body.metadata as JsonObject | undefined,
    enabled: body.enabled,
    timeoutMs: body.timeout_ms,
    readOnly: body.read_only,
    cache: cacheRuleOf(body.cache),
  })
}

/** What may be taken back with null. */
function rulesMembers(body: ToolChange) {
  const { fallback } = body
  return { ...enduranceMembers(body), ...(fallback === undefined ? {} : { fallback: fallback ?? undefined }) }
}

const SHOWN = ['name', 'description', 'enabled', 'category', 'tags', 'security_level', 'metadata']
const OVERRIDABLE = new Set([...SHOWN, 'timeout_ms', 'breaker', 'retry', 'fallback', 'cache', 'read_only'])

/** A change to a tool of an MCP server: how it is shown and how its calls fare, never what it does. */
export function overrideChange(body: ToolChange): ToolOverrideChange {
  const fixed = Object.keys(body).filter((member) => !OVERRIDABLE.has(member))
  if (fixed.length > 0) {
    throw new ValidationError(`The tool belongs to an MCP server, which alone decides ${fixed.join(', ')}`, {
      fields: fixed,
    })
  }
  const shown = defined({
    exposedName: body.name,
    description: body.description,
    enabled: body.enabled,
    category: body.category,
    tags: body.tags,
    securityLevel: body.security_level,
    metadata: body.metadata as JsonObject | undefined,
    timeoutMs: body.timeout_ms,
    readOnly: body.read_only,
    cache: cacheRuleOf(body.cache),
  })
  return { ...shown, ...rulesMembers(body) } as ToolOverrideChange
}
