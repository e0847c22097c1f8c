import type { Principal } from '#identity/principal'
import { unauthenticated } from '#identity/refusal'
import type { Resources } from '#identity/resources'
import { ALL_SCOPES, type Scope } from '#identity/scopes'
import { AppError } from '#kernel/errors'
import { isJsonObject, type JsonValue } from '#kernel/json'
import type { HttpRequest } from './http-exchange.ts'

/** What acts: lists show less instead, so that a client that has just connected need not ask for more. */
const NEEDED: ReadonlyMap<unknown, Scope> = new Map([
  ['tools/call', 'mcp:tools'],
  ['prompts/get', 'mcp:prompts'],
  ['resources/read', 'mcp:resources'],
  ['resources/subscribe', 'mcp:resources'],
])

/** Throws `authentication_error` for the token of a client that is for another endpoint. */
export function checkResource({ grant }: Principal, namespace: string | undefined): void {
  if (grant?.resource.namespace === undefined || grant.resource.namespace === namespace) return
  throw unauthenticated('the token is for another endpoint')
}

/** Throws `permission_denied` where the token of a client lacks the scope that a message needs; it names all to ask for. */
export function checkScope({ grant }: Principal, message: JsonValue): void {
  if (!grant) return
  const messages = Array.isArray(message) ? message : [message]
  const needed = messages.flatMap((each) => (isJsonObject(each) ? (NEEDED.get(each['method']) ?? []) : []))
  const missing = needed.filter((scope) => !grant.scopes.includes(scope))
  if (missing.length === 0) return
  const scope = ALL_SCOPES.filter((each) => grant.scopes.includes(each) || needed.includes(each)).join(' ')
  throw new AppError('permission_denied', `This needs the scope ${missing.join(' ')}`, { details: { scope } })
}

/** What `WWW-Authenticate` says of a refusal (RFC 6750, 9728); undefined where a credential would not help. */
export function challengeOf(error: AppError, request: HttpRequest, resources: Resources): string | undefined {
  const { scope } = error.details
  const isScopeMissing = error.code === 'permission_denied' && typeof scope === 'string'
  if (error.code !== 'authentication_error' && !isScopeMissing) return undefined
  const { authorization, host } = request.headers
  const metadata = resources.metadataAt(host, endpointOf(request))
  const parts = [`resource_metadata="${metadata}"`, `scope="${isScopeMissing ? scope : ALL_SCOPES.join(' ')}"`]
  if (isScopeMissing) return `Bearer error="insufficient_scope", ${parts.join(', ')}`
  return authorization === undefined
    ? `Bearer ${parts.join(', ')}`
    : `Bearer error="invalid_token", ${parts.join(', ')}`
}

/** The path by which clients name the endpoint: without query, with one spelling of what could end the quotes. */
function endpointOf({ url = '' }: HttpRequest): string {
  const path = url.split('?', 1)[0]?.replace(/\/$/, '') ?? ''
  if (path === '/messages') return '/sse'
  return path.replaceAll(/[^\w./~%-]/g, encodeURIComponent)
}
