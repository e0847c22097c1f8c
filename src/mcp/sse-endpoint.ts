import { isSameCaller, type Principal } from '#identity/principal'
import { AppError } from '#kernel/errors'
import { readMessage, resultText, type RpcRequest } from '#kernel/rpc-message'
import { streamOf } from './audience.ts'
import { openEventStream, type EventStream } from './event-stream.ts'
import { answer, take, type Arrival, type LegacyDeps } from './legacy.ts'
import { createLegacyRequests, initializeResult } from './legacy-requests.ts'
import type { LegacySession } from './legacy-session.ts'
import { parseBody, readBody } from './read-body.ts'
import type { Reply } from './reply.ts'

/** HTTP+SSE for clients of 2024-11-05: one stream down, POSTs up, everything answered on the stream. */
export interface SseEndpoint {
  handle(arrival: Arrival): void | Promise<void>
}

interface Connection {
  readonly stream: EventStream
  /** Whose it is: nobody else sends to it. */
  readonly principal: Principal
  session?: LegacySession
}

export function createSseEndpoint(deps: LegacyDeps): SseEndpoint {
  const requests = createLegacyRequests(deps)
  const connections = new Map<string, Connection>()

  const open = ({ response, principal }: Arrival): void => {
    deps.streams.admit(principal, response)
    const id = deps.sealer.seal('sse connection', String(deps.now()))
    const stream = openEventStream(response)
    const connection: Connection = { stream, principal }
    connections.set(id, connection)
    stream.send({ event: 'endpoint', data: `/messages?sessionId=${id}` })
    const breathing = { keepAlive: () => stream.keepAlive() }
    deps.keepAlives.add(breathing)
    const attendee = streamOf(principal, stream)
    deps.audience.add(attendee)
    response.once('close', () => {
      deps.keepAlives.delete(breathing)
      deps.audience.delete(attendee)
      connections.delete(id)
      if (connection.session) deps.sessions.end(connection.session)
    })
  }
  const start = (connection: Connection, arrival: Arrival, request: RpcRequest): void => {
    if (connection.session) throw new AppError('invalid_request', 'This session is initialized already')
    const view = deps.views.view(arrival.principal, arrival.namespace)
    if (!view) throw new AppError('not_found', 'Unknown namespace')
    const { hello, result } = initializeResult(deps, request, view)
    connection.session = deps.sessions.open(hello, arrival.principal, arrival.namespace)
    replyOn(connection.stream).finish(resultText(request.idText, result))
    connection.session.listenPlain(connection.stream)
  }
  const post = async (arrival: Arrival): Promise<void> => {
    const id = new URL(arrival.request.url ?? '', 'http://localhost').searchParams.get('sessionId')
    const connection = connections.get(id ?? '')
    if (!connection || !isSameCaller(connection.principal, arrival.principal))
      throw new AppError('session_not_found', 'This session is unknown or has ended: open /sse again')
    const text = await readBody(arrival.request, deps.bodyBytesMax)
    if (!connection.stream.isOpen) throw new AppError('session_not_found', 'This session has ended: open /sse again')
    const message = readMessage(text, parseBody(text))
    if (message.kind === 'fault') throw new AppError('invalid_request', `Not a JSON-RPC message: ${message.reason}`)
    const { session, stream } = connection
    // What it may do is asked anew: its roles may have changed since.
    if (session) session.principal = arrival.principal
    if (message.kind === 'request' && message.method === 'initialize') start(connection, arrival, message)
    else if (!session) throw new AppError('invalid_request', 'Initialize first')
    else if (message.kind === 'request') void answer(requests, session, message, replyOn(stream))
    else take(session, message)
    arrival.response.writeHead(202, { 'content-length': 8 }).end('Accepted')
  }
  return {
    handle(arrival) {
      const { method, url = '' } = arrival.request
      if (method === 'GET' && url.startsWith('/sse')) return open(arrival)
      if (method === 'POST' && url.startsWith('/messages')) return post(arrival)
      throw new AppError('method_not_allowed', 'GET /sse opens a session, POST /messages sends to it', {
        details: { allow: url.startsWith('/sse') ? 'GET' : 'POST' },
      })
    },
  }
}

function replyOn(stream: EventStream): Reply {
  return {
    get isOpen() {
      return stream.isOpen
    },
    notify: (text) => stream.send({ event: 'message', data: text }),
    finish: (body) => void stream.send({ event: 'message', data: typeof body === 'string' ? body : body.join('') }),
    abandon: () => undefined,
  }
}
