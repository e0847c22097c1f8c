import type { Answer, Caller } from '#gateway/call'
import { Cancellation, type CancelSignal } from '#kernel/cancellation'
import { ChurnMap } from '#kernel/churn-map'
import { AppError, messageOf, UpstreamRpcError } from '#kernel/errors'
import type { JsonObject, JsonValue } from '#kernel/json'
import { editObject, elementsOf } from '#kernel/json-text'
import {
  errorText,
  notificationText,
  readMessage,
  requestText,
  resultText,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from '#kernel/rpc-message'
import type { Era } from '#registry/records'
import type { UpstreamLogLine } from '#registry/upstream-status'
import type { Transport, TransportEvents } from './transport.ts'
import { reasonOf } from './unless-aborted.ts'
import { notSent } from './unreachable.ts'

const ANNOUNCED_MS_MAX = 1000

/** A request to the upstream. */
export interface SessionRequest {
  readonly method: string
  /** The params' text, once our id is known: it is the progress token too. */
  params(requestId: number): string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For whom: gets progress and questions. Absent for the gateway's own requests. */
  readonly caller?: Caller
  /** Takes what comes on this request's own stream, where the gateway itself listens. */
  listen?(method: string, paramsText: string): void
  readonly signal?: CancelSignal
}

/** A request on somebody's behalf. */
export type OwnedRequest = SessionRequest & Required<Pick<SessionRequest, 'caller' | 'signal'>>

/** A result as it came. */
export interface SessionResult {
  readonly text: string
  readonly value: JsonObject
}

/** What a session reports to its pool. */
export interface SessionEvents {
  /** A notification that belongs to no call. */
  notification(notification: RpcNotification): void
  /** A question that came outside of any call's stream: who holds the session? */
  holder(): Caller | undefined
  /** A client's roots went to the server: its state is that client's from now on. */
  rootsGiven(): void
  closed(error: AppError): void
  log(source: UpstreamLogLine['source'], text: string): void
}

/** A request without its answer. */
interface Pending extends PromiseWithResolvers<SessionResult> {
  readonly id: number
  readonly request: SessionRequest
  /** Listens to the request's signal. */
  cancel(): void
}

/** What the handshake (or discovery) agreed on. */
export interface Agreement {
  readonly era: Era
  readonly protocolVersion: string
  readonly capabilities: JsonObject
  readonly serverInfoText?: string
  readonly instructions?: string
  /** Where the server is a MetaMCP: its id, and those of the gateways behind it. */
  readonly gateways: readonly string[]
}

/**
 * One session with an upstream: gives requests their own ids, brings answers, progress and questions to the one caller
 * they belong to, and tells the upstream when an answer is not wanted any more.
 */
export class UpstreamSession {
  readonly server: string
  readonly #events: SessionEvents
  readonly #pending = new ChurnMap<number, Pending>()
  readonly #questions = new Map<string, Cancellation>()
  #transport: Transport | undefined
  #agreement: Agreement | undefined
  #nextId = 1
  #ended: AppError | undefined

  constructor(server: string, events: SessionEvents) {
    this.server = server
    this.#events = events
  }

  /** What the transport reports to; hand it over before `attach`. */
  readonly transportEvents: TransportEvents = {
    message: (text, requestId) => this.#receive(text, requestId),
    failed: (requestId, error) => this.#fail(this.#pending.get(requestId), error),
    closed: (error) => this.#end(error),
    log: (source, text) => this.#events.log(source, text),
  }

  attach(transport: Transport): void {
    this.#transport = transport
  }

  agree(agreement: Agreement): void {
    this.#agreement = agreement
  }

  /** Throws before the handshake. */
  get agreement(): Agreement {
    if (this.#agreement) return this.#agreement
    throw new AppError('upstream_unavailable', `${this.server} is not connected`)
  }

  /** Throws before `attach`. */
  get transport(): Transport {
    if (this.#transport) return this.#transport
    throw new AppError('upstream_unavailable', `${this.server} is not connected`)
  }

  get isOpen(): boolean {
    return this.#ended === undefined
  }

  get callsRunning(): number {
    return this.#pending.size
  }

  /** Sends a request. Rejects with UpstreamRpcError for a JSON-RPC error, with AppError when no answer comes. */
  request(request: SessionRequest): Promise<SessionResult> {
    if (this.#ended) return Promise.reject(notSent(this.#ended))
    const id = this.#nextId
    this.#nextId += 1
    const { method, headers, signal } = request
    if (signal?.aborted) return Promise.reject(reasonOf(signal))
    const text = requestText(String(id), method, request.params(id))
    const { promise, resolve, reject } = Promise.withResolvers<SessionResult>()
    const pending: Pending = { id, request, promise, resolve, reject, cancel: () => this.#cancel(pending) }
    signal?.addEventListener('abort', pending.cancel)
    this.#pending.set(id, pending)
    this.transport.send({ text, method, requestId: id, headers })
    return promise
  }

  #forget({ id, request, cancel }: Pending): void {
    this.#pending.delete(id)
    request.signal?.removeEventListener('abort', cancel)
  }

  #fail(pending: Pending | undefined, error: AppError): void {
    if (!pending) return
    this.#forget(pending)
    pending.reject(error)
  }

  notify(method: string, paramsText?: string): void {
    if (!this.#ended) this.transport.send({ text: notificationText(method, paramsText), method })
  }

  /** A notification that nothing may overtake. Resolves when the server has it, or leaves us without a sign for long. */
  announce(method: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const patience = setTimeout(resolve, ANNOUNCED_MS_MAX)
    this.transport.send({ text: notificationText(method), method, delivered: resolve })
    return promise.finally(() => clearTimeout(patience))
  }

  /** Ends the session; what runs on it is rejected. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    const transport = this.#transport
    this.#end(new AppError('upstream_session_lost', `The session with ${this.server} was closed`))
    await transport?.close()
  }

  #receive(text: string, via: number | undefined): void {
    let value: JsonValue
    try {
      value = JSON.parse(text) as JsonValue
    } catch {
      this.#refuse(via, 'sent something that is not JSON')
      return
    }
    if (Array.isArray(value)) for (const element of elementsOf(text)) this.#receive(element, via)
    else this.#take(readMessage(text, value), via)
  }

  #take(message: ReturnType<typeof readMessage>, via: number | undefined): void {
    if (message.kind === 'fault') this.#refuse(via, `sent a broken message: ${message.reason}`)
    else this.#dispatch(message, via)
  }

  #refuse(via: number | undefined, what: string): void {
    this.#events.log('gateway', `the server ${what}`)
    if (via === undefined) return
    this.#fail(this.#pending.get(via), new AppError('upstream_protocol_error', `${this.server} ${what}`))
  }

  #dispatch(message: RpcMessage, via: number | undefined): void {
    switch (message.kind) {
      case 'response':
        return this.#settle(message, via)
      case 'notification':
        return this.#notified(message, via)
      case 'request':
        return void this.#asked(message, via)
    }
  }

  #settle(response: RpcResponse, via: number | undefined): void {
    // An error whose sender could not read our id belongs to the request on whose stream it came.
    const id = response.id ?? via
    const pending = typeof id === 'number' ? this.#pending.get(id) : undefined
    if (!pending)
      return this.#events.log('gateway', `an answer to no request of ours (id ${String(response.id)}) was dropped`)
    this.#forget(pending)
    this.transport.answered(pending.id)
    if (response.error) pending.reject(new UpstreamRpcError(this.server, response.error, this.#agreement?.era))
    else pending.resolve({ text: response.resultText ?? '{}', value: response.result ?? {} })
  }

  #notified(notification: RpcNotification, via: number | undefined): void {
    const { method, params } = notification
    if (method === 'notifications/progress') return this.#progressed(notification)
    if (method === 'notifications/cancelled')
      return this.#questions.get(questionKey(params['requestId']))?.abort(undefined)
    const pending = via === undefined ? undefined : this.#pending.get(via)
    const notify = pending?.request.caller?.notify ?? pending?.request.listen
    if (notify) notify(method, notification.paramsText)
    else this.#events.notification(notification)
  }

  #progressed({ method, params, paramsText }: RpcNotification): void {
    const caller = this.#pending.get(Number(params['progressToken']))?.request.caller
    const progressToken = caller?.progressTokenText
    if (progressToken !== undefined) caller?.notify?.(method, editObject(paramsText, { progressToken }))
  }

  async #asked(request: RpcRequest, via: number | undefined): Promise<void> {
    if (request.method === 'ping') return this.#reply(resultText(request.idText, '{}'))
    const caller = this.#callerFor(via)
    const controller = new Cancellation()
    this.#questions.set(questionKey(request.id), controller)
    const answer = await ask(caller, request, controller)
    this.#questions.delete(questionKey(request.id))
    if (controller.aborted) return
    if ('resultText' in answer) {
      if (request.method === 'roots/list') this.#events.rootsGiven()
      this.#reply(resultText(request.idText, answer.resultText))
    } else this.#reply(errorText(request.idText, answer.errorText))
  }

  /** The caller on whose stream the question came, else whoever holds the session alone. Never a guess between two. */
  #callerFor(via: number | undefined): Caller | undefined {
    const own = via === undefined ? undefined : this.#pending.get(via)?.request.caller
    return own ?? this.#events.holder()
  }

  /** The newest running call of this session, for questions that name none. */
  newestCaller(): Caller | undefined {
    return this.#pending.values().findLast(({ request }) => request.caller)?.request.caller
  }

  /** The session keys of everybody who has a call running here. */
  runningKeys(): Set<string> {
    return new Set(this.#pending.values().flatMap(({ request: { caller } }) => (caller ? [caller.sessionKey] : [])))
  }

  #reply(text: string): void {
    if (!this.#ended) this.transport.send({ text })
  }

  #cancel(pending: Pending): void {
    const { id, request } = pending
    this.#fail(pending, reasonOf(request.signal))
    if (this.#ended) return
    const isModernHttp = this.#agreement?.era === 'modern' && this.transport.hasCallStreams
    if (!isModernHttp && request.method !== 'initialize') {
      const reason = reasonOf(request.signal).message
      this.notify('notifications/cancelled', JSON.stringify({ requestId: id, reason }))
    }
    this.transport.abandon(id)
  }

  #end(error: AppError): void {
    if (this.#ended) return
    this.#ended = error
    for (const question of this.#questions.values()) question.abort(error)
    for (const pending of this.#pending.values()) this.#fail(pending, error)
    this.#events.closed(error)
  }
}

function refusal(code: number, message: string): Answer {
  return { errorText: JSON.stringify({ code, message }) }
}

/** Ids 1 and "1" are two. */
function questionKey(id: JsonValue | undefined): string {
  return JSON.stringify(id) ?? ''
}

async function ask(caller: Caller | undefined, request: RpcRequest, signal: CancelSignal): Promise<Answer> {
  if (!caller?.ask) {
    caller?.lacks?.(request.method)
    return refusal(-32601, `No client is there that could answer ${request.method}`)
  }
  try {
    return await caller.ask({ method: request.method, paramsText: request.paramsText, signal })
  } catch (error) {
    const code = error instanceof AppError && error.code === 'missing_capability' ? -32601 : -32603
    return refusal(code, messageOf(error))
  }
}
