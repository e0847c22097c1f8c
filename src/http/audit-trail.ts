import type { FastifyRequest } from 'fastify'
import type { AuditEntry } from '#audit/record'
import { tenantOf } from '#audit/tenant'
import type { Principal } from '#identity/principal'
import type { AppError } from '#kernel/errors'
import { isJsonObject } from '#kernel/json'
import { redacted } from '#kernel/redact'
import type { ApiContext, Endpoint, Told } from './endpoint.ts'

const TEXT_MAX = 512
const FACTS_CHARS_MAX = 4096
/** Actions that change nothing by themselves; a call is recorded by the call path. */
const HARMLESS = new Set(['read', 'report', 'execute'])

/** A request as the audit sees it. */
export interface Audited {
  readonly request: FastifyRequest
  /** Undefined for an address that there is not. */
  readonly endpoint: Endpoint | undefined
  readonly principal: Principal | undefined
  readonly told?: Told
}

/** Whether a request to this endpoint is meant to change something. */
export function isChange({ method, access }: Endpoint): boolean {
  return method !== 'GET' && !HARMLESS.has(access.split(':')[1] ?? '')
}

/** What a request leaves in the audit: a change, tried or made, and every refusal; nothing for what only reads. */
export function auditEntry(
  { newId, now, forwarding }: Pick<ApiContext, 'newId' | 'now' | 'forwarding'>,
  audited: Audited,
  error?: AppError,
): AuditEntry | undefined {
  const { request, endpoint, principal, told } = audited
  const isRefused = error !== undefined && (error.status === 401 || error.status === 403)
  if (!isRefused && !(endpoint && isChange(endpoint))) return undefined
  const actor = told?.actor ?? principal
  return {
    id: newId(),
    at: now(),
    tenant: tenantOf(principal),
    actor: actor?.id ?? '',
    username: actor?.username,
    key: principal?.keyId,
    action: endpoint ? actionOf(endpoint) : 'http:request',
    resource: resourceOf(request, endpoint),
    outcome: isRefused ? 'denied' : error ? 'error' : 'success',
    code: error?.code,
    requestId: request.id,
    surface: 'rest',
    rule: error?.code === 'permission_denied' ? error.message : told?.rule,
    facts: { ip: forwarding.addressOf(request.raw), ...factsOf(request, endpoint) },
  }
}

/** The permission that it needs; where it needs none, what its address says: `auth:login`, `api-keys:create`. */
function actionOf({ method, path, access }: Endpoint): string {
  if (access !== 'public' && access !== 'self') return access
  const [first = '', ...more] = path
    .replace(BASE, '')
    .split('/')
    .filter((part) => part !== '' && !part.startsWith(':'))
  return `${first}:${more.at(-1) ?? VERBS[method]}`
}

const BASE = '/api/v1'
const VERBS: Readonly<Record<Endpoint['method'], string>> = {
  GET: 'read',
  POST: 'create',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
}

/** The address without its base; of something new with the name that it shall have. */
function resourceOf(request: FastifyRequest, endpoint: Endpoint | undefined): string {
  const [address = ''] = request.url.split(/[?#]/, 1)
  const path = endpoint ? endpoint.path.replaceAll(/:(\w+)/g, (_, name: string) => paramOf(request, name)) : address
  const { name, username } = isJsonObject(request.body) && endpoint?.access !== 'public' ? request.body : {}
  const isNew = request.method === 'POST' && !endpoint?.path.includes(':')
  const called = [name, username].find((each) => typeof each === 'string')
  return `${path.replace(BASE, '').replace(/^\//, '')}${isNew && called !== undefined ? `/${called}` : ''}`.slice(
    0,
    TEXT_MAX,
  )
}

function paramOf({ params }: FastifyRequest, name: string): string {
  const value = isJsonObject(params) ? params[name] : undefined
  return typeof value === 'string' ? value : ''
}

/** Bodies of those who prove who they are hold what proves it: they are left out. */
function factsOf({ headers, body }: FastifyRequest, endpoint: Endpoint | undefined): Record<string, unknown> {
  const sender = { agent: headers['user-agent']?.slice(0, TEXT_MAX) }
  if (endpoint?.access === 'public' || !isJsonObject(body)) return sender
  const shown = redacted(body)
  return JSON.stringify(shown).length <= FACTS_CHARS_MAX
    ? { ...sender, body: shown }
    : {
        ...sender,
        members: Object.keys(body)
          .map((name) => name.slice(0, 64))
          .slice(0, 32),
      }
}
