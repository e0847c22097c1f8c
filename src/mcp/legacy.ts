import { AppError, toAppError } from '#kernel/errors'
import type { JsonValue } from '#kernel/json'
import { elementsOf } from '#kernel/json-text'
import { LEGACY_VERSIONS } from '#kernel/protocol'
import { errorText, readMessage, resultText, type RpcMessage, type RpcRequest } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import { streamOf, type Audience } from './audience.ts'
import { openEventStream, type EventStream } from './event-stream.ts'
import type { HttpRequest, HttpResponse } from './http-exchange.ts'
import type { KeepAlives } from './keep-alives.ts'
import {
  createLegacyRequests,
  initializeResult,
  type LegacyRequests,
  type LegacyRequestsDeps,
  type ResultBody,
} from './legacy-requests.ts'
import type { LegacySession } from './legacy-session.ts'
import type { LegacySessions } from './legacy-sessions.ts'
import type { OpenStreams } from './open-streams.ts'
import { traceparentOf } from './primitives.ts'
import { HttpReply, sendJson, type Reply } from './reply.ts'
import { rpcErrorText } from './rpc-error.ts'
import type { StreamEvent } from './stream-log.ts'

/** Streams are primed since this version (SSE polling). */
const PRIMED_SINCE = '2025-11-25'
const BATCH_VERSION = '2025-03-26'
const BATCH_MAX = 100

/** Where one HTTP request of the endpoint came in. */
export interface Arrival {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly principal: Principal
  readonly namespace: string | undefined
}

/** Streamable HTTP of the legacy era (2025-11-25, basic/transports): POST, GET and DELETE with sessions. */
export interface Legacy {
  post(arrival: Arrival, text: string, value: JsonValue): void
  get(arrival: Arrival): void
  delete(arrival: Arrival): void
}

export interface LegacyDeps extends LegacyRequestsDeps {
  readonly sessions: LegacySessions
  readonly streams: OpenStreams
  readonly keepAlives: KeepAlives
  readonly audience: Audience
}

export function createLegacy(deps: LegacyDeps): Legacy {
  const requests = createLegacyRequests(deps)
  return {
    post(arrival, text, value) {
      if (Array.isArray(value)) postBatch(deps, requests, arrival, { text, value: value as JsonValue[] })
      else postOne(deps, requests, arrival, readMessage(text, value))
    },
    get(arrival) {
      const session = sessionOf(deps, arrival)
      const { request, response, principal } = arrival
      if (!request.headers.accept?.includes('text/event-stream')) {
        throw new AppError('not_acceptable', 'This address answers GET with text/event-stream only')
      }
      deps.streams.admit(arrival.principal, response)
      const lastEventId = request.headers['last-event-id']
      const stream = openEventStream(response, { 'mcp-session-id': session.id })
      resume(session, stream, typeof lastEventId === 'string' ? lastEventId : '')
      const breathing = { keepAlive: breathe(() => stream.keepAlive()) }
      const attendee = streamOf(principal, stream)
      deps.keepAlives.add(breathing)
      deps.audience.add(attendee)
      response.once('close', () => {
        deps.keepAlives.delete(breathing)
        deps.audience.delete(attendee)
      })
    },
    delete(arrival) {
      deps.sessions.end(sessionOf(deps, arrival))
      arrival.response.writeHead(200, { 'content-length': 0 }).end()
    },
  }
}

/** A stream goes on as what it was: that of one call ends with the call's answer, any other is the session's own. */
function resume(session: LegacySession, stream: EventStream, lastEventId: string): void {
  const missed = session.events.after(lastEventId)
  if (!missed) return session.listen(stream)
  if (missed.stream === session.ownStream) return session.listen(stream, { id: lastEventId, events: missed.events })
  const send = ({ id, text }: StreamEvent): void => void stream.send({ data: text, id })
  for (const event of missed.events) send(event)
  missed.follow({ send, end: () => stream.end() })
}

/** A stream that is only listened to gets a sign of life now and then. */
function breathe(act: () => void): (now: number) => void {
  let lastAt = Date.now()
  return (now) => {
    if (now - lastAt < 15_000) return
    lastAt = now
    act()
  }
}

/** The session that the headers name. 400 without an id, 404 for one that is not (or no more) the caller's. */
function sessionOf({ sessions }: LegacyDeps, { request, principal, namespace }: Arrival): LegacySession {
  const id = request.headers['mcp-session-id']
  if (typeof id !== 'string')
    throw new AppError('invalid_request', 'The header Mcp-Session-Id is missing: initialize first')
  const session = sessions.find(id, principal, namespace)
  if (!session) throw new AppError('session_not_found', 'This session is unknown or has ended: initialize again')
  const version = request.headers['mcp-protocol-version']
  if (typeof version === 'string' && !LEGACY_VERSIONS.includes(version)) {
    throw new AppError('invalid_request', `Unsupported MCP-Protocol-Version: ${version}`)
  }
  return session
}

type Read = ReturnType<typeof readMessage>

function postOne(deps: LegacyDeps, requests: LegacyRequests, arrival: Arrival, message: Read): void {
  if (message.kind === 'fault') throw new AppError('invalid_request', `Not a JSON-RPC message: ${message.reason}`)
  if (message.kind === 'request' && message.method === 'initialize') return openSession(deps, arrival, message)
  const session = sessionOf(deps, arrival)
  if (message.kind !== 'request') {
    take(session, message)
    arrival.response.writeHead(202, { 'content-length': 0 }).end()
    return
  }
  const reply = new HttpReply(arrival.response, {
    acceptsStream: acceptsStream(arrival.request),
    openLog: () => session.events.stream(),
    isPrimed: session.protocolVersion >= PRIMED_SINCE,
    traceparent: traceparentOf(arrival.request),
  })
  deps.keepAlives.add(reply)
  void answer(requests, session, message, reply).then(() => deps.keepAlives.delete(reply))
}

/** Answers one request: a result, or the error that says what went wrong. One that the client cancelled gets no answer. */
export async function answer(
  requests: LegacyRequests,
  session: LegacySession,
  request: RpcRequest,
  reply: Reply,
): Promise<void> {
  try {
    const result = await requests.answer(session, request, reply)
    reply.finish(answerBody(request.idText, result))
  } catch (thrown) {
    const error = toAppError(thrown)
    if (error.code === 'cancelled') reply.abandon()
    else reply.finish(errorText(request.idText, rpcErrorText(error, 'legacy')))
  } finally {
    session.finished(request.id)
  }
}

/** A list's bytes are not copied into a string. */
export function answerBody(idText: string, result: ResultBody): string | readonly (string | Buffer)[] {
  return typeof result === 'string'
    ? resultText(idText, result)
    : [`{"jsonrpc":"2.0","id":${idText},"result":`, result, '}']
}

/** A notification or an answer of the client: nothing to say back. */
export function take(session: LegacySession, message: Exclude<RpcMessage, RpcRequest>): void {
  if (message.kind === 'response') session.answered(message)
  else if (message.method === 'notifications/cancelled') session.cancel(message.params['requestId'])
}

function openSession(deps: LegacyDeps, arrival: Arrival, request: RpcRequest): void {
  const { principal, namespace, response } = arrival
  const view = deps.views.view(principal, namespace)
  if (!view) throw new AppError('not_found', `Unknown namespace: ${namespace ?? ''}`)
  const { hello, result } = initializeResult(deps, request, view)
  const session = deps.sessions.open(hello, principal, namespace)
  response.setHeader('mcp-session-id', session.id)
  sendJson(response, 200, resultText(request.idText, result))
}

/** Arrays exist in one version only (2025-03-26): all answers in one array, in the order of the requests. */
function postBatch(
  deps: LegacyDeps,
  requests: LegacyRequests,
  arrival: Arrival,
  { text, value }: { text: string; value: readonly JsonValue[] },
): void {
  const session = sessionOf(deps, arrival)
  if (session.protocolVersion !== BATCH_VERSION)
    throw new AppError('invalid_request', 'This protocol version has no batches')
  if (value.length === 0 || value.length > BATCH_MAX)
    throw new AppError('invalid_request', `A batch has 1 to ${BATCH_MAX} messages`)
  const messages = elementsOf(text).map((element, index) => readMessage(element, value[index] ?? null))
  void Promise.all(messages.map((message) => answerInBatch(requests, session, message))).then((answers) => {
    const said = answers.filter((each) => each !== undefined)
    if (said.length === 0) arrival.response.writeHead(202, { 'content-length': 0 }).end()
    else sendJson(arrival.response, 200, `[${said.join(',')}]`)
  })
}

async function answerInBatch(
  requests: LegacyRequests,
  session: LegacySession,
  message: Read,
): Promise<string | undefined> {
  if (message.kind === 'fault') {
    const fault = new AppError('invalid_request', `Not a JSON-RPC message: ${message.reason}`)
    return errorText(JSON.stringify(message.id), rpcErrorText(fault, 'legacy'))
  }
  if (message.kind !== 'request') {
    take(session, message)
    return undefined
  }
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const reply: Reply = {
    isOpen: true,
    notify: () => false,
    finish: (body) => resolve(typeof body === 'string' ? body : body.join('')),
    abandon: () => resolve(undefined),
  }
  await answer(requests, session, message, reply)
  return promise
}

export function acceptsStream(request: HttpRequest): boolean {
  const { accept } = request.headers
  return accept === undefined || accept.includes('text/event-stream') || accept.includes('*/*')
}
