import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { problem } from '#contract/problem'
import type { Principal } from '#identity/principal'
import { networkOf } from '#identity/addresses'
import { bearerOf, callerOf } from '#identity/bearer'
import { unauthenticated } from '#identity/refusal'
import type { AppError } from '#kernel/errors'
import type { BodyReader } from './body-reader.ts'
import { auditEntry, isChange } from './audit-trail.ts'
import { authorizationOf, extendedCookie, sessionTokenOf } from './cookie-session.ts'
import { demand, denied } from './demand.ts'
import { ReadyStream, ReadyText, type ApiContext, type ApiRequest, type Endpoint, type Told } from './endpoint.ts'

interface Serving {
  readonly context: ApiContext
  readonly bodies: BodyReader
}

/** Makes a declaration answer. */
export function serveEndpoint(app: FastifyInstance, endpoint: Endpoint, { context, bodies }: Serving): void {
  const route = { name: routeName(endpoint) }
  const { method, path, access, params, query, body, answer, status, mediaType } = endpoint
  app.route({
    method,
    url: path,
    config: { endpoint },
    schema: {
      tags: [endpoint.group],
      summary: endpoint.summary,
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(body && { body }),
      response: { [status]: mediaType ? { content: { [mediaType]: { schema: answer } } } : answer, default: problem },
    },
    // Before the body is read: who may not, learns nothing of what is wrong with it.
    async onRequest(request, reply) {
      if (isChange(endpoint)) context.audit.admit()
      if (access === 'public') return limit(endpoint, context, { request, reply })
      const authorization = authorizationOf(request.method, request.headers)
      const principal = await callerOf(context, authorization, addressOf(context, request))
      if (principal.grant) throw unauthenticated('the token is for MCP')
      callers.set(request, principal)
      await limit(endpoint, context, { request, reply, principal })
      if (access !== 'self' && !context.policy.decide(principal, access).allowed) throw denied(access)
      demand(context, { principal }, 'routes:use', route)
      const cookie = await extendedCookie(context.identity, request.headers)
      if (cookie !== undefined) reply.header('set-cookie', cookie)
    },
    async handler(request, reply) {
      const told: Told = {}
      const result = await endpoint.handle(context, { ...apiRequest(request, reply, { context, bodies }), told })
      const entry = auditEntry(context, { request, endpoint, principal: callers.get(request), told })
      if (entry) await context.audit.record(entry)
      void reply.code(status)
      if (result instanceof ReadyStream) return reply.type(result.contentType).send(result.stream)
      if (!(result instanceof ReadyText)) return reply.send(result)
      return reply.type(result.contentType).send(result.text)
    },
  })
}

/** As roles that deny a route name it: `DELETE /api/v1/tools/{name}`. */
export function routeName({ method, path }: Pick<Endpoint, 'method' | 'path'>): string {
  return `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`
}

interface Visit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly principal?: Principal
}

/** Counts the request for whoever is known, else for where it comes from. */
async function limit({ rate, access }: Endpoint, context: ApiContext, visit: Visit): Promise<void> {
  const { rates } = context
  const kind = rate ?? (access === 'public' ? undefined : 'management')
  if (!rates || kind === undefined) return
  await rates.admit(kind, visit.principal?.id ?? networkOf(addressOf(context, visit.request)), visit.reply.raw)
}

/** What a request that failed leaves in the audit; waited for only when the audit falls behind. */
export async function auditFailure(context: AuditContext, request: FastifyRequest, error: AppError): Promise<void> {
  const { endpoint } = request.routeOptions.config as { readonly endpoint?: Endpoint }
  const entry = auditEntry(context, { request, endpoint, principal: callers.get(request) }, error)
  if (entry) await context.audit.note(entry)
}

type AuditContext = Pick<ApiContext, 'audit' | 'newId' | 'now' | 'forwarding'>

/** Who sent a request: found out before its body is read. */
const callers = new WeakMap<FastifyRequest, Principal>()
const NOBODY: Principal = { id: '', roles: [], kind: 'local' }

function apiRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { context, bodies }: Serving,
): Omit<ApiRequest, 'told'> {
  const { params, query, body, headers } = request
  const session = sessionTokenOf(headers)
  return {
    params,
    query,
    body,
    principal: callers.get(request) ?? NOBODY,
    credential: headers.authorization === undefined ? session : bearerOf(headers.authorization),
    session,
    setCookie: (header) => void reply.header('set-cookie', header),
    origin: { ip: addressOf(context, request), agent: headers['user-agent'] },
    requestId: request.id,
    bodyText: bodies.textOf(request),
    traceparent: traceparentOf(request),
    signal: closeSignal(reply),
  }
}

function addressOf({ forwarding }: ApiContext, request: FastifyRequest): string {
  return forwarding.addressOf(request.raw) ?? ''
}

function closeSignal({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableEnded) controller.abort()
  })
  return controller.signal
}

/** The caller's trace, when it says so in a form that others will understand (W3C Trace Context). */
function traceparentOf({ headers }: FastifyRequest): string | undefined {
  const { traceparent } = headers
  const isTrace =
    typeof traceparent === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
  return isTrace ? traceparent : undefined
}
