import { usableResource } from '#gateway/route'
import type { ErrorCode } from '#kernel/error-codes'
import { AppError, toAppError, UpstreamRpcError } from '#kernel/errors'
import { isJsonObject, objectAt, stringAt } from '#kernel/json'
import { editObject } from '#kernel/json-text'
import { META, MODERN_VERSION } from '#kernel/protocol'
import { errorText, resultText, type RpcNotification, type RpcRequest } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import type { CatalogView } from '#registry/catalog-view'
import type { KeepAlives } from './keep-alives.ts'
import { acceptsStream, answerBody, type Arrival } from './legacy.ts'
import { cachingHints, LIST_METHODS, SERVER_STAMP, type Lists } from './lists.ts'
import type { McpDeps } from './mcp-deps.ts'
import { createModernCalls, type ModernCalls } from './modern-calls.ts'
import { metaResultText, receivedBy } from './meta-results.ts'
import { isMetaNamed, type MetaTools } from './meta-tools.ts'
import { isDeclared } from './method-access.ts'
import { checkedParamHeaders, ModernRefusal, readClaim, type Claim } from './modern-claim.ts'
import { tagged, type Listener, type ListenFilter, type NewsDesk } from './news-desk.ts'
import type { OpenStreams } from './open-streams.ts'
import { CALL_METHODS, traceparentOf } from './primitives.ts'
import { HttpReply } from './reply.ts'
import { rpcErrorText } from './rpc-error.ts'
import { capabilitiesOf, gatewayStamp, instructionsOf } from './server-profile.ts'
import type { TokenLedger } from './token-ledger.ts'

/** Streamable HTTP of 2026-07-28: every request complete in itself, no sessions. */
export interface Modern extends Disposable {
  post(arrival: Arrival, message: RpcRequest | RpcNotification): void
}

export interface ModernDeps extends McpDeps {
  readonly lists: Lists
  readonly streams: OpenStreams
  readonly keepAlives: KeepAlives
  readonly news: NewsDesk
  readonly metaTools: MetaTools
  readonly ledger: TokenLedger
}

export function createModern(deps: ModernDeps): Modern {
  const calls = createModernCalls(deps)
  return {
    post(arrival, message) {
      if (message.kind === 'notification') {
        arrival.response.writeHead(202, { 'content-length': 0 }).end()
        return
      }
      const reply = new HttpReply(arrival.response, { acceptsStream: acceptsStream(arrival.request) })
      deps.keepAlives.add(reply)
      void answer(deps, calls, { arrival, request: message, reply }).then(() => deps.keepAlives.delete(reply))
    },
    [Symbol.dispose]: () => calls[Symbol.dispose](),
  }
}

interface Asked {
  readonly arrival: Arrival
  readonly request: RpcRequest
  readonly reply: HttpReply
}

async function answer(deps: ModernDeps, calls: ModernCalls, asked: Asked): Promise<void> {
  const { request, reply } = asked
  try {
    const result = await resultOf(deps, calls, asked)
    if (result !== undefined) reply.finish(answerBody(request.idText, result))
  } catch (thrown) {
    const { text, status, retryAfter } = modernError(thrown)
    if (retryAfter !== undefined) asked.arrival.response.setHeader('retry-after', String(retryAfter))
    reply.finish(errorText(request.idText, text), status)
  }
}

/** Undefined when the answer is a stream that stays open. */
async function resultOf(deps: ModernDeps, calls: ModernCalls, asked: Asked): Promise<string | Buffer | undefined> {
  const { arrival, request, reply } = asked
  const claim = readClaim(request, arrival.request.headers)
  const view = deps.views.view(arrival.principal, arrival.namespace)
  if (!view) throw new AppError('not_found', `Unknown namespace: ${arrival.namespace ?? ''}`)
  const { method, params } = request
  if (!isDeclared(method)) return unknownMethod(request, reply)
  if (Object.hasOwn(LIST_METHODS, method)) {
    const { bytes, tokens } = deps.lists.page(view, method, 'modern', params)
    deps.ledger.count(arrival, tokens)
    return bytes
  }
  if (Object.hasOwn(CALL_METHODS, method)) {
    const seen = { view, claim }
    return isMetaNamed(request) ? metaResult(deps, calls, asked, seen) : callResult(calls, asked, seen)
  }
  switch (method) {
    case 'server/discover':
      return discoverResult(deps, view)
    case 'subscriptions/listen':
      await listen(deps, view, asked)
      return undefined
    default:
      return unknownMethod(request, reply)
  }
}

function unknownMethod({ idText, method }: RpcRequest, reply: HttpReply): undefined {
  const error = new AppError('method_not_found', `Unknown method: ${method}`)
  reply.finish(errorText(idText, rpcErrorText(error, 'modern')), 404)
}

/** What a request is answered by: the lists at this moment, and who it says it is from. */
interface Seen {
  readonly view: CatalogView
  readonly claim: Claim
}

/** A request with the name of a meta-tool: answered here, or it goes on as the call that it means. */
async function metaResult(deps: ModernDeps, calls: ModernCalls, asked: Asked, seen: Seen): Promise<string> {
  const { arrival, request } = asked
  const meaning = await deps.metaTools.meaningOf(request, { view: seen.view, principal: arrival.principal })
  // Headers mirror the arguments of the tool that was named to us; those of the tool that is meant are made upstream.
  if (meaning.kind === 'call')
    return callResult(calls, { ...asked, request: meaning.request }, seen, meaning.request === request ? undefined : {})
  deps.ledger.count(arrival, receivedBy(meaning.result))
  const dress = { resultType: '"complete"', _meta: JSON.stringify(SERVER_STAMP) }
  return editObject(metaResultText(meaning.result), dress)
}

function callResult(
  calls: ModernCalls,
  { arrival, request, reply }: Asked,
  { view, claim }: Seen,
  paramHeaders?: Readonly<Record<string, string>>,
): Promise<string> {
  const { headers } = arrival.request
  const tool = request.method === 'tools/call' ? view.toolByName.get(stringAt(request.params, 'name') ?? '') : undefined
  const traceparent = traceparentOf(arrival.request)
  return calls.run({
    request,
    claim,
    principal: arrival.principal,
    namespace: arrival.namespace,
    paramHeaders: paramHeaders ?? checkedParamHeaders(tool, request.params, headers),
    ...(traceparent === undefined ? {} : { traceparent }),
    reply,
    onClose: (listener) => {
      arrival.response.once('close', () => {
        if (!arrival.response.writableFinished) listener()
      })
    },
  })
}

function discoverResult({ catalog, gateways }: ModernDeps, view: CatalogView): string {
  const isComplete = catalog.isComplete()
  const instructions = instructionsOf(view)
  return JSON.stringify({
    resultType: 'complete',
    supportedVersions: [MODERN_VERSION],
    capabilities: capabilitiesOf(view, isComplete),
    ...(instructions === undefined ? {} : { instructions }),
    ...cachingHints(view, isComplete),
    _meta: { ...SERVER_STAMP, ...gatewayStamp(gateways()) },
  })
}

/** Opens a stream of news: what was accepted first, then each change. Resolves when one side has ended it. */
async function listen(deps: ModernDeps, view: CatalogView, { arrival, request, reply }: Asked): Promise<void> {
  if (!acceptsStream(arrival.request))
    throw new AppError('not_acceptable', 'What is listened to comes as text/event-stream only')
  deps.streams.admit(arrival.principal, arrival.response)
  const closed = new Promise<void>((resolve) => arrival.response.once('close', resolve))
  const ownerOf = (uri: string) => ownerFor(deps, view, arrival.principal, uri)
  const uris = wantedUris(request).map((uri) => ({ uri, upstreamId: ownerOf(uri) }))
  const known = uris.filter((each): each is { uri: string; upstreamId: string } => each.upstreamId !== undefined)
  const filter = acceptedFilter(
    request,
    known.map(({ uri }) => uri),
  )
  const listener: Listener = {
    namespace: arrival.namespace,
    principal: arrival.principal,
    filter,
    subscriptions: new Map(known.map(({ uri, upstreamId }) => [uri, upstreamId])),
    subscriptionIdText: request.idText,
    send: (text) => void reply.notify(text),
    end: () => reply.finish(resultText(request.idText, listenEnd(request))),
  }
  let stopNews: (() => void) | undefined
  const subscribed = await Promise.allSettled(known.map(({ uri, upstreamId }) => deps.subscribe(upstreamId, uri)))
  try {
    const refused = subscribed.find((each) => each.status === 'rejected')
    if (refused) throw refused.reason
    const acknowledged = JSON.stringify({ notifications: filter })
    reply.notify(tagged(listener, 'notifications/subscriptions/acknowledged', acknowledged))
    stopNews = deps.news.add(listener)
    await closed
  } finally {
    stopNews?.()
    for (const [index, { uri, upstreamId }] of known.entries())
      if (subscribed[index]?.status === 'fulfilled') void deps.unsubscribe(upstreamId, uri).catch(() => undefined)
  }
}

function listenEnd({ idText }: RpcRequest): string {
  return `{"resultType":"complete","_meta":{${JSON.stringify(META.subscriptionId)}:${idText}}}`
}

function wantedUris({ params }: RpcRequest): string[] {
  const uris = objectAt(params, 'notifications')?.['resourceSubscriptions']
  return Array.isArray(uris) ? uris.filter((uri): uri is string => typeof uri === 'string') : []
}

function ownerFor({ views }: McpDeps, view: CatalogView, principal: Principal, uri: string): string | undefined {
  try {
    return usableResource(views, view, principal, uri).upstreamId
  } catch {
    return undefined
  }
}

function acceptedFilter({ params }: RpcRequest, uris: readonly string[]): ListenFilter {
  const wanted = params['notifications']
  if (!isJsonObject(wanted)) throw new AppError('validation_error', '"notifications" must be an object')
  return {
    ...(wanted['toolsListChanged'] === true ? { toolsListChanged: true } : {}),
    ...(wanted['promptsListChanged'] === true ? { promptsListChanged: true } : {}),
    ...(wanted['resourcesListChanged'] === true ? { resourcesListChanged: true } : {}),
    ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
  }
}

/** Where HTTP itself has something to say. */
const STATUSES: Readonly<Partial<Record<ErrorCode, number>>> = {
  missing_capability: 400,
  not_found: 404,
  not_acceptable: 406,
  rate_limited: 429,
}

/** Which HTTP status goes with an error: 400 and 404 where the specification says so, else the error is in the body alone. */
function modernError(thrown: unknown): { text: string; status: number; retryAfter?: number } {
  if (thrown instanceof ModernRefusal) {
    const { rpcCode: code, message, data } = thrown
    return { text: JSON.stringify({ code, message, ...(data ? { data } : {}) }), status: thrown.httpStatus }
  }
  const error = toAppError(thrown)
  const code = error instanceof UpstreamRpcError ? error.rpcCode : undefined
  const text = rpcErrorText(error, 'modern')
  if (code !== undefined && code <= -32020 && code >= -32099) return { text, status: 400 }
  const status = STATUSES[error.code] ?? 200
  return error.code === 'rate_limited'
    ? { text, status, retryAfter: Number(error.details['retry_after']) }
    : { text, status }
}
