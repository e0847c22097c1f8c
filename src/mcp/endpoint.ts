import { ERROR_CODES } from '#kernel/error-codes'
import { AppError, toAppError } from '#kernel/errors'
import { isJsonObject, objectAt, type JsonValue } from '#kernel/json'
import { memberText } from '#kernel/json-text'
import { META, MODERN_VERSION } from '#kernel/protocol'
import { errorText, isRpcId, readMessage } from '#kernel/rpc-message'
import type { Authenticator } from '#identity/authenticate'
import { callerOf } from '#identity/bearer'
import type { Forwarding } from '#identity/forwarding'
import type { HostGuard } from '#identity/host-guard'
import type { Principal } from '#identity/principal'
import type { RateLimits } from '#gateway/rate-limits'
import type { Resources } from '#identity/resources'
import { createAudience } from './audience.ts'
import { challengeOf, checkResource, checkScope } from './challenge.ts'
import { createKeepAlives } from './keep-alives.ts'
import type { HttpRequest, HttpResponse } from './http-exchange.ts'
import { createLegacy, type Arrival } from './legacy.ts'
import { createLegacySessions } from './legacy-sessions.ts'
import { createLists } from './lists.ts'
import type { McpDeps } from './mcp-deps.ts'
import { createMetaTools } from './meta-tools.ts'
import { checkMethods } from './method-access.ts'
import { createModern } from './modern.ts'
import { createNewsDesk, type NewsDesk } from './news-desk.ts'
import { createOpenStreams } from './open-streams.ts'
import { parseBody, readBody } from './read-body.ts'
import { sendJson } from './reply.ts'
import { rpcErrorText } from './rpc-error.ts'
import { createSseEndpoint } from './sse-endpoint.ts'
import { createTasks, type Tasks } from './tasks.ts'
import { createTokenLedger, type TokenLedger } from './token-ledger.ts'

export interface EndpointDeps extends McpDeps {
  /** Who has a Bearer credential; at once when it was seen before. */
  readonly identity: Pick<Authenticator, 'authenticate' | 'again' | 'onDoubt'>
  /** The caller without a credential, where there may be one. */
  readonly principal: Principal | undefined
  /** How clients name the endpoints. */
  readonly resources: Resources
  readonly hostGuard: HostGuard
  /** Whom requests come from. */
  readonly forwarding: Forwarding
  /** Told of who is refused as unknown, foreign or not allowed; waited for where it falls behind. */
  refused(refusal: Refusal): Promise<void> | undefined
  /** How much callers may ask for. */
  readonly rates?: RateLimits
  /** How long a session may do nothing. */
  readonly sessionIdleMsMax?: number
  /** How many event streams one caller may hold open. */
  readonly streamsMax: number
}

/** A request that came no further than the door. */
interface Refusal {
  readonly code: string
  /** The address that was asked for. */
  readonly resource: string
  readonly address: string | undefined
  readonly agent: string | undefined
  readonly requestId: string | undefined
}

/** The MCP endpoint: `/mcp`, `/mcp/{namespace}`, and `/sse` with `/messages` for clients of 2024-11-05. */
export interface McpEndpoint extends Disposable {
  /** Whether whole requests to this target are for Streamable HTTP here. */
  takes(url: string): boolean
  /** Takes a request when its path is one of ours; answers whether it did. */
  handle(request: HttpRequest, response: HttpResponse): boolean
  resourceUpdated: NewsDesk['resourceUpdated']
  taskChanged: Tasks['changed']
  definitionTokens: TokenLedger['report']
  readonly sessions: number
}

/** Throws when a method does not say what it asks of its caller. */
export function createMcpEndpoint(deps: EndpointDeps): McpEndpoint {
  checkMethods()
  const sessions = createLegacySessions({
    sealer: deps.sealer,
    now: deps.now,
    ...(deps.sessionIdleMsMax === undefined ? {} : { idleMsMax: deps.sessionIdleMsMax }),
    opened: (session) => news.follow(session),
    ended(session) {
      news.forget(session)
      for (const [uri, upstreamId] of session.subscriptions.entries())
        void deps.unsubscribe(upstreamId, uri).catch(() => undefined)
      session.subscriptions.clear()
      deps.forget(session.id)
    },
  })
  const audience = createAudience(deps)
  const news = createNewsDesk({ ...deps, audience, sessions })
  const tasks = createTasks(deps, sessions.all)
  const ledger = createTokenLedger(deps.catalog, sessions.all)
  const parts = {
    ...deps,
    sessions,
    tasks,
    lists: createLists(deps.sealer, deps.catalog.isComplete),
    metaTools: createMetaTools(deps),
    ledger,
    keepAlives: createKeepAlives(),
    streams: createOpenStreams(deps.streamsMax),
    audience,
  }
  const legacy = createLegacy(parts)
  const modern = createModern({ ...parts, news })
  const sse = createSseEndpoint(parts)
  const answerMcp = (arrival: Arrival): void | Promise<void> => {
    const { method } = arrival.request
    if (method === 'POST') return post(deps, arrival, { legacy, modern })
    if (isModernHeader(arrival.request)) return methodNotAllowed()
    if (method === 'GET') return legacy.get(arrival)
    return method === 'DELETE' ? legacy.delete(arrival) : methodNotAllowed()
  }
  return {
    takes: (url) => placeOf(url)?.kind === 'mcp',
    handle(request, response) {
      const place = placeOf(request.url ?? '')
      if (!place) return false
      const visit = { request, response, namespace: place.namespace }
      guarded(deps, visit, place.kind === 'mcp' ? answerMcp : sse.handle)
      return true
    },
    resourceUpdated: news.resourceUpdated,
    taskChanged: tasks.changed,
    definitionTokens: ledger.report,
    get sessions() {
      return sessions.size
    },
    [Symbol.dispose]() {
      for (const part of [modern, news, sessions, audience, parts.keepAlives]) part[Symbol.dispose]()
    },
  }
}

type Place = { readonly kind: 'mcp' | 'sse'; readonly namespace: string | undefined }

function placeOf(url: string): Place | undefined {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (path === '/mcp' || path === '/mcp/') return { kind: 'mcp', namespace: undefined }
  if (path === '/sse' || path === '/messages') return { kind: 'sse', namespace: undefined }
  const namespace = /^\/mcp\/([^/]+)\/?$/.exec(path)?.[1]
  return namespace === undefined ? undefined : { kind: 'mcp', namespace: decoded(namespace) }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** Nothing leaves this function unanswered: what goes wrong becomes a JSON-RPC error with the right status. */
function guarded(deps: EndpointDeps, visit: Visit, answer: Answer): void {
  const failed = (thrown: unknown): void => refuse(deps, visit, thrown)
  try {
    const refusal = deps.hostGuard(visit.request)
    if (refusal) throw refusal
    const principal = callerOf(deps, visit.request.headers.authorization, deps.forwarding.addressOf(visit.request))
    // Nearly always known already: then nothing is waited for.
    if (principal instanceof Promise)
      principal.then((known) => admit(deps, { ...visit, principal: known }, answer)).catch(failed)
    else admit(deps, { ...visit, principal }, answer)?.catch(failed)
  } catch (thrown) {
    failed(thrown)
  }
}

/** A client's token is for one endpoint. Then counted by principal; what is asked over REST counts with it. */
function admit({ rates }: EndpointDeps, arrival: Arrival, answer: Answer): void | Promise<void> {
  checkResource(arrival.principal, arrival.namespace)
  const counting = rates?.admit('calls', arrival.principal.id, arrival.response)
  return counting ? counting.then(() => answer(arrival)) : answer(arrival)
}

type Answer = (arrival: Arrival) => void | Promise<void>

/** A request of whom nothing is known yet. */
type Visit = Omit<Arrival, 'principal'>

function refuse(
  { log, resources, refused, forwarding }: EndpointDeps,
  { request, response }: Visit,
  thrown: unknown,
  idText = 'null',
): void {
  const error = toAppError(thrown)
  if (error.code === 'internal_error') log.error({ error: error.cause, url: request.url }, 'request failed')
  const { allow = 'GET, POST, DELETE', retry_after: retryAfter } = error.details
  if (typeof retryAfter === 'number') response.setHeader('retry-after', String(retryAfter))
  if (error.code === 'method_not_allowed' && typeof allow === 'string') response.setHeader('allow', allow)
  const challenge = challengeOf(error, request, resources)
  if (challenge !== undefined) response.setHeader('www-authenticate', challenge)
  // What is left of a body that is too large is not read: the connection cannot go on.
  if (error.code === 'payload_too_large') response.setHeader('connection', 'close')
  const { status } = ERROR_CODES[error.code]
  const send = (): void => sendJson(response, status, errorText(idText, rpcErrorText(error, 'legacy')))
  const busy =
    status === 401 || status === 403
      ? refused(refusalOf(request, error.code, forwarding.addressOf(request)))
      : undefined
  if (busy) void busy.then(send)
  else send()
}

function refusalOf({ url = '', headers }: HttpRequest, code: string, address: string | undefined): Refusal {
  const { 'user-agent': agent, 'x-request-id': requestId } = headers
  const [resource = ''] = url.split('?', 1)
  const given = typeof requestId === 'string' ? requestId : undefined
  return { code, resource, address, agent, requestId: given }
}

function methodNotAllowed(): never {
  throw new AppError('method_not_allowed', 'This address does not take this HTTP method')
}

function isModernHeader(request: HttpRequest): boolean {
  return request.headers['mcp-protocol-version'] === MODERN_VERSION
}

interface Eras {
  readonly legacy: ReturnType<typeof createLegacy>
  readonly modern: ReturnType<typeof createModern>
}

function post(deps: EndpointDeps, arrival: Arrival, eras: Eras): void | Promise<void> {
  const { accept } = arrival.request.headers
  if (accept !== undefined && !ANSWERABLE.test(accept))
    throw new AppError('not_acceptable', 'This address answers with application/json or text/event-stream')
  const text = readBody(arrival.request, deps.bodyBytesMax)
  return typeof text === 'string'
    ? postText(deps, arrival, text, eras)
    : text.then((read) => postText(deps, arrival, read, eras))
}

function postText(deps: EndpointDeps, arrival: Arrival, text: string, { legacy, modern }: Eras): void {
  const value = parseBody(text)
  try {
    checkScope(arrival.principal, value)
    const message = isModern(arrival.request, value) ? readMessage(text, value) : undefined
    if (!message) return legacy.post(arrival, text, value)
    if (message.kind === 'request' || message.kind === 'notification') return modern.post(arrival, message)
    const reason = message.kind === 'fault' ? message.reason : 'clients of this protocol version send no responses'
    throw new AppError('invalid_request', `Not a request: ${reason}`)
  } catch (thrown) {
    refuse(deps, arrival, thrown, idTextOf(text, value))
  }
}

const ANSWERABLE = /(?:application|\*)\/(?:json|\*)|text\/(?:event-stream|\*)/i

/** The id to answer with: a refused request's own where it has a readable one. */
function idTextOf(text: string, value: JsonValue): string {
  const isAsked = isJsonObject(value) && 'method' in value && isRpcId(value['id'])
  return (isAsked ? memberText(text, 'id') : undefined) ?? 'null'
}

/** Which era a message is of: its own claim decides; the header does where there is none (mcp-protocol, §11). */
export function isModern(request: Pick<HttpRequest, 'headers'>, value: JsonValue): boolean {
  if (!isJsonObject(value)) return false
  const meta = objectAt(value['params'], '_meta')
  if (value['method'] !== undefined && meta && META.protocolVersion in meta) return true
  const version = request.headers['mcp-protocol-version']
  return value['method'] !== undefined && version === MODERN_VERSION
}
