import { usableResource } from '#gateway/route'
import type { CallResult } from '#gateway/call'
import { AppError } from '#kernel/errors'
import { objectAt, stringAt, type JsonObject } from '#kernel/json'
import { editObject, memberText } from '#kernel/json-text'
import { GATEWAY_INFO, LEGACY_VERSIONS, LOG_LEVELS } from '#kernel/protocol'
import type { RpcRequest } from '#kernel/rpc-message'
import type { CatalogView } from '#registry/catalog-view'
import type { LegacyHello, LegacySession } from './legacy-session.ts'
import { markedText } from './cached-mark.ts'
import { LIST_METHODS, type Lists } from './lists.ts'
import type { McpDeps } from './mcp-deps.ts'
import { metaResultText, receivedBy } from './meta-results.ts'
import { isMetaNamed, type MetaTools } from './meta-tools.ts'
import { isDeclared } from './method-access.ts'
import { CALL_METHODS, callOf, progressTokenOf } from './primitives.ts'
import type { Reply } from './reply.ts'
import { capabilitiesOf, gatewayStamp, instructionsOf, taskCapabilities } from './server-profile.ts'
import { isTaskMethod, type Tasks } from './tasks.ts'
import type { TokenLedger } from './token-ledger.ts'

const TASKS_SINCE = '2025-11-25'

/** The `result` of a request: its text, or the bytes of a list. */
export type ResultBody = string | Buffer

/** What the client said at `initialize`, and our answer. Every version that we know is answered with itself. */
export function initializeResult(
  { catalog, gateways }: McpDeps,
  request: RpcRequest,
  view: CatalogView,
): { hello: LegacyHello; result: string } {
  const wanted = stringAt(request.params, 'protocolVersion')
  if (wanted === undefined) throw new AppError('validation_error', '"initialize" needs "protocolVersion" as a string')
  const protocolVersion = LEGACY_VERSIONS.includes(wanted) ? wanted : (LEGACY_VERSIONS[0] ?? wanted)
  const infoText = memberText(request.paramsText, 'clientInfo')
  const instructions = instructionsOf(view)
  const tasks = protocolVersion >= TASKS_SINCE ? taskCapabilities(view) : {}
  const capabilities = { ...capabilitiesOf(view, catalog.isComplete()), ...tasks }
  return {
    hello: {
      protocolVersion,
      capabilities: objectAt(request.params, 'capabilities') ?? {},
      ...(infoText === undefined ? {} : { infoText: alone(infoText) }),
    },
    result: JSON.stringify({
      protocolVersion,
      capabilities,
      serverInfo: GATEWAY_INFO,
      ...(instructions === undefined ? {} : { instructions }),
      _meta: gatewayStamp(gateways()),
    }),
  }
}

/** A text without the body that it was cut out of: V8 would keep all of that for as long as the session lives. */
function alone(part: string): string {
  return Buffer.from(part).toString()
}

/** Answers the requests of a legacy session. */
export interface LegacyRequests {
  /** Rejects with AppError. */
  answer(session: LegacySession, request: RpcRequest, reply: Reply): Promise<ResultBody> | ResultBody
}

export interface LegacyRequestsDeps extends McpDeps {
  readonly lists: Lists
  readonly tasks: Tasks
  readonly metaTools: MetaTools
  readonly ledger: TokenLedger
}

export function createLegacyRequests(deps: LegacyRequestsDeps): LegacyRequests {
  const { lists } = deps
  const list = (method: string, params: JsonObject, session: LegacySession): Buffer => {
    const { bytes, tokens } = lists.page(viewOf(deps, session), method, 'legacy', params)
    deps.ledger.count(session, tokens)
    return bytes
  }
  return {
    answer(session, request, reply) {
      const { method, params } = request
      if (!isDeclared(method)) throw new AppError('method_not_found', `Unknown method: ${method}`)
      if (Object.hasOwn(CALL_METHODS, method))
        return isMetaNamed(request) ? metaCall(deps, session, request, reply) : call(deps, session, request, reply)
      if (Object.hasOwn(LIST_METHODS, method)) return list(method, params, session)
      if (isTaskMethod(method)) return aboutTasks(deps, session, request, reply)
      switch (method) {
        case 'ping':
          return '{}'
        case 'logging/setLevel':
          return setLevel(session, request)
        case 'resources/subscribe':
          return subscribe(deps, session, viewOf(deps, session), request)
        case 'resources/unsubscribe':
          return unsubscribe(deps, session, request)
        default:
          throw new AppError('method_not_found', `Unknown method: ${method}`)
      }
    },
  }
}

function viewOf({ views }: McpDeps, { principal, namespace }: LegacySession): CatalogView {
  const view = views.view(principal, namespace)
  if (!view) throw new AppError('not_found', `Unknown namespace: ${namespace ?? ''}`)
  return view
}

/** A request with the name of a meta-tool: answered here, or it goes on as the call that it means. */
async function metaCall(
  deps: LegacyRequestsDeps,
  session: LegacySession,
  request: RpcRequest,
  reply: Reply,
): Promise<string> {
  const signal = session.began(request.id)
  const meaning = await deps.metaTools.meaningOf(request, { view: viewOf(deps, session), principal: session.principal })
  if (meaning.kind === 'call') return call(deps, session, meaning.request, reply)
  if (signal.aborted) throw signal.reason
  deps.ledger.count(session, receivedBy(meaning.result))
  return metaResultText(meaning.result)
}

function call(deps: LegacyRequestsDeps, session: LegacySession, request: RpcRequest, reply: Reply): Promise<string> {
  const { namespace, principal } = session
  const caller = session.callerFor(reply, progressTokenOf(request))
  const signal = session.began(request.id)
  const { traceparent } = reply
  return deps.gateway.run(callOf(request, { caller, principal, signal, namespace, traceparent })).then((result) => {
    if (request.params['task'] !== undefined) deps.tasks.created(session, ownerOf(deps, session, request), result)
    return legacyText(result)
  })
}

function ownerOf(deps: McpDeps, session: LegacySession, { params }: RpcRequest): string | undefined {
  return viewOf(deps, session).toolByName.get(stringAt(params, 'name') ?? '')?.upstreamId
}

function aboutTasks(
  { tasks }: LegacyRequestsDeps,
  session: LegacySession,
  request: RpcRequest,
  reply: Reply,
): Promise<string> {
  const caller = session.callerFor(reply, progressTokenOf(request))
  return tasks.answer({ request, session, caller, signal: session.began(request.id) })
}

/** A modern server's result without the members that a legacy client does not know. */
function legacyText(result: CallResult): string {
  const { era, value } = result
  const text = markedText(result)
  if (era === 'legacy') return text
  const { resultType, ttlMs, cacheScope } = value
  if (resultType === undefined && ttlMs === undefined && cacheScope === undefined) return text
  return editObject(text, { resultType: undefined, ttlMs: undefined, cacheScope: undefined })
}

function setLevel(session: LegacySession, { params }: RpcRequest): string {
  const level = stringAt(params, 'level')
  if (level === undefined || !LOG_LEVELS.includes(level)) {
    throw new AppError('validation_error', `"level" must be one of ${LOG_LEVELS.join(', ')}`)
  }
  session.logLevel = level
  return '{}'
}

async function subscribe(
  deps: McpDeps,
  session: LegacySession,
  view: CatalogView,
  request: RpcRequest,
): Promise<string> {
  const uri = uriOf(request)
  const { upstreamId } = usableResource(deps.views, view, session.principal, uri)
  if (session.subscriptions.has(uri)) return '{}'
  session.subscriptions.set(uri, upstreamId)
  try {
    await deps.subscribe(upstreamId, uri)
  } catch (error) {
    session.subscriptions.delete(uri)
    throw error
  }
  // Meanwhile the client may have changed its mind, or gone.
  if (!session.subscriptions.has(uri)) await deps.unsubscribe(upstreamId, uri)
  return '{}'
}

async function unsubscribe(deps: McpDeps, session: LegacySession, request: RpcRequest): Promise<string> {
  const uri = uriOf(request)
  const upstreamId = session.subscriptions.get(uri)
  if (session.subscriptions.delete(uri) && upstreamId !== undefined) await deps.unsubscribe(upstreamId, uri)
  return '{}'
}

function uriOf({ method, params }: RpcRequest): string {
  const uri = stringAt(params, 'uri')
  if (uri === undefined) throw new AppError('validation_error', `"${method}" needs "uri" as a string`)
  return uri
}
