import type { Server, ServerChange, ServerDetails, ServerRegistration } from '#contract/server'
import { ValidationError } from '#kernel/errors'
import { httpTransport } from '#kernel/http-transport'
import type { Connection, UpstreamRecord } from '#registry/records'
import type { UpstreamDraft } from '#registry/registry-api'
import { redactor } from '#registry/connection-secrets'
import type { ApiDeps } from './api-deps.ts'
import { cacheRuleBody, cacheRuleOf } from './cache-shape.ts'
import { defined } from './defined.ts'
import { enduranceBody, enduranceMembers } from './endurance-shape.ts'
import { isoTime, isoTimeOrNull } from './page.ts'
import { maskedConnection, unmaskedConnection } from './server-secrets.ts'
import { descriptionOf } from './tool-shape.ts'

const MAX_CONCURRENCY = 64

type Sources = Pick<ApiDeps, 'registry' | 'upstreams'>

/** A server as lists show it. */
export function serverBody({ registry, upstreams }: Sources, record: UpstreamRecord): Server {
  const status = upstreams.status(record.id)
  const snapshot = registry.catalog.snapshot(record.id)
  const redact = redactor(record.connection)
  return {
    server_id: record.id,
    name: record.name,
    description: record.description ?? null,
    transport: status.transport ?? transportOf(record.connection),
    era: status.era ?? snapshot?.verdict.era ?? record.era,
    protocol_version: status.protocolVersion ?? snapshot?.verdict.protocolVersion ?? null,
    status: status.state,
    status_reason: redact(status.reason),
    last_error: status.lastError === undefined ? null : redact(status.lastError),
    next_retry_at: isoTimeOrNull(status.nextRetryAt),
    connected_at: isoTimeOrNull(status.connectedAt),
    sessions: status.sessions,
    tool_count: snapshot?.tools.length ?? 0,
    prefix: record.prefix,
    start: record.start,
    share: record.share,
    timeout_ms: record.timeoutMs,
    ...enduranceBody(record),
    max_concurrency: record.maxConcurrency,
    enabled: record.enabled,
    cache: cacheRuleBody(record.cache),
    origin: record.origin,
    created_at: isoTime(record.createdAt),
    updated_at: isoTime(record.updatedAt),
  }
}

/** A server in full: how it is reached (secrets masked), its processes and tools. */
export function serverDetailsBody(sources: Sources, record: UpstreamRecord): ServerDetails {
  const tools = sources.registry.catalog.allTools().filter((tool) => tool.upstreamId === record.id)
  return {
    ...serverBody(sources, record),
    ...maskedConnection(record.connection),
    pids: [...sources.upstreams.status(record.id).pids],
    tools: tools.map((tool) => ({
      name: tool.name,
      original_name: tool.originalName,
      description: descriptionOf(tool),
    })),
  }
}

function transportOf(connection: Connection): string {
  return connection.kind === 'stdio' ? 'stdio' : connection.transport
}

/** What a registration or replacement asks for, defaults filled in; `before` is what it replaces. */
export function serverDraft(body: ServerRegistration, timeoutMs: number, before?: UpstreamRecord): UpstreamDraft {
  return {
    prefix: body.name,
    enabled: true,
    era: 'auto',
    start: 'eager',
    share: 'auto',
    timeoutMs,
    maxConcurrency: MAX_CONCURRENCY,
    ...settings(body),
    ...defined(enduranceMembers(body)),
    name: body.name,
    connection: unmaskedConnection(connectionOf(body), before?.connection),
  }
}

/** The members that a change replaces; secrets it does not name stay under the same rule as `***`. */
export function serverChange(body: ServerChange, before: UpstreamRecord): Partial<UpstreamDraft> {
  const change = { ...settings(body), ...enduranceMembers(body) } as Partial<UpstreamDraft>
  if (!CONNECTION_KEYS.some((key) => body[key] !== undefined)) return change
  const wanted = connectionOf({ ...keptMembers(body, before.connection), ...body })
  return { ...change, connection: unmaskedConnection(wanted, before.connection) }
}

/** What a change leaves as it was; nothing where it makes a command of an address or the reverse. */
function keptMembers(body: ServerChange, before: Connection): ServerChange {
  if (before.kind === 'stdio') return body.url === undefined ? maskedConnection(before) : {}
  return body.command === undefined ? { ...maskedConnection(before), transport: before.transport } : {}
}

const STDIO_KEYS = ['command', 'args', 'env', 'cwd'] as const
const HTTP_KEYS = ['url', 'headers'] as const
const CONNECTION_KEYS = [...STDIO_KEYS, ...HTTP_KEYS, 'transport'] as const

function connectionOf(body: ServerChange): Connection {
  const { command, url, transport } = body
  if (command !== undefined && url === undefined) {
    refuse(body, HTTP_KEYS, 'command')
    if (transport !== undefined && transport !== 'stdio') throw contradiction(transport, 'command')
    const { args = [], env = {}, cwd } = body
    return { kind: 'stdio', command, args, env, ...(cwd === undefined ? {} : { cwd }) }
  }
  if (url !== undefined && command === undefined) {
    refuse(body, STDIO_KEYS, 'url')
    if (transport === 'stdio') throw contradiction(transport, 'url')
    return { kind: 'http', url, headers: body.headers ?? {}, transport: httpTransport(url, transport) }
  }
  throw new ValidationError('A server has either "command" or "url", and not both', { fields: ['command', 'url'] })
}

function refuse(body: ServerChange, keys: readonly (keyof ServerChange)[], kind: string): void {
  const fields = keys.filter((key) => body[key] !== undefined)
  if (fields.length === 0) return
  throw new ValidationError(`A server with "${kind}" does not take ${fields.join(', ')}`, { fields })
}

function contradiction(transport: string, kind: string): ValidationError {
  return new ValidationError(`The transport ${transport} does not go with "${kind}"`, { fields: ['transport'] })
}

function settings(body: ServerChange) {
  return defined({
    name: body.name,
    prefix: body.prefix,
    enabled: body.enabled,
    era: body.era,
    start: body.start,
    share: body.share,
    timeoutMs: body.timeout_ms,
    maxConcurrency: body.max_concurrency,
    description: body.description,
    cache: cacheRuleOf(body.cache),
  })
}
