import type { Answer, Caller, Question } from '#gateway/call'
import { Cancellation } from '#kernel/cancellation'
import { ChurnMap } from '#kernel/churn-map'
import { AppError } from '#kernel/errors'
import type { JsonObject } from '#kernel/json'
import { isLogged } from '#kernel/protocol'
import { isRpcId, notificationText, requestText, type RpcId, type RpcResponse } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import type { EventStream } from './event-stream.ts'
import { canAnswer } from './primitives.ts'
import type { Reply } from './reply.ts'
import { noTokens, type TokenCounts } from './token-ledger.ts'
import { SparseMap } from './sparse-map.ts'
import { createEventLog, type EventLog, type StreamEvent } from './stream-log.ts'

/** What we hold for a client that has no stream open. */
const BACKLOG_MAX = 200
/** A question outside of any call waits this long for its answer. */
const ANSWER_MS_MAX = 10 * 60_000

/** What the client said at `initialize`. */
export interface LegacyHello {
  readonly protocolVersion: string
  readonly capabilities: JsonObject
  readonly infoText?: string
}

export interface LegacySessionOptions extends LegacyHello {
  readonly id: string
  readonly namespace?: string
  readonly principal: Principal
}

/** What a client can come back for, and of that the stream of what belongs to no call. */
interface Logs {
  readonly all: EventLog
  readonly own: ReturnType<EventLog['stream']>
}

/** One downstream session of the legacy era: lives in this process, ends with DELETE, with its stream, or by idleness. */
export class LegacySession {
  readonly id: string
  readonly namespace: string | undefined
  principal: Principal
  readonly protocolVersion: string
  readonly capabilities: JsonObject
  readonly #profile: Caller['profile']
  /** URIs this client wants to hear of, with the upstream each was subscribed at. */
  readonly subscriptions = new SparseMap<string, string>()
  /** Tasks this client made, with the upstream that has each. */
  readonly tasks = new SparseMap<string, string>()
  readonly definitionTokens: TokenCounts = noTokens()
  logLevel: string | undefined
  lastUsedAt: number
  /** Undefined until the first call. */
  #calls: ChurnMap<RpcId, Cancellation> | undefined
  readonly #questions = new SparseMap<number, PromiseWithResolvers<Answer>>()
  readonly #backlog: StreamEvent[] = []
  /** Undefined until the first event. */
  #logs: Logs | undefined
  readonly #canBeAsked: boolean
  #stream: EventStream | undefined
  #nextQuestion = 1

  constructor(options: LegacySessionOptions, now: number) {
    this.id = options.id
    this.namespace = options.namespace
    this.principal = options.principal
    this.protocolVersion = options.protocolVersion
    this.capabilities = options.capabilities
    const { capabilities, infoText } = options
    this.#profile = { capabilities, ...(infoText === undefined ? {} : { infoText }) }
    this.lastUsedAt = now
    this.#canBeAsked = ['sampling', 'elicitation', 'roots'].some((name) => options.capabilities[name] !== undefined)
  }

  get isIdle(): boolean {
    return !this.#calls?.size && !this.#stream?.isOpen
  }

  get events(): EventLog {
    return this.#openLogs().all
  }

  /** The face that a call of this session shows to the upstream. */
  callerFor(reply: Reply, progress: { readonly progressTokenText: string } | undefined): Caller {
    return {
      sessionKey: this.id,
      profile: this.#profile,
      ask: this.#canBeAsked ? (question) => this.#ask(question, reply) : undefined,
      notify: (method, paramsText) => this.#notify(method, paramsText, reply),
      progressTokenText: progress?.progressTokenText,
      logLevel: this.logLevel,
    }
  }

  /** A message that belongs to no call: goes on the session's own stream, or waits for it. */
  push(text: string): void {
    const id = this.#openLogs().own.add(text)
    if (this.#stream?.send({ data: text, id })) return
    this.#backlog.push({ id, text })
    if (this.#backlog.length > BACKLOG_MAX) this.#backlog.shift()
  }

  /** The number of the stream for what belongs to no call. */
  get ownStream(): number {
    return this.#openLogs().own.number
  }

  /** The client opened its stream, anew or behind an event. A second one takes the place of the first. */
  listen(stream: EventStream, resumed?: { readonly id: string; readonly events: readonly StreamEvent[] }): void {
    this.#stream?.end()
    this.#stream = stream
    const held = this.#backlog.splice(0)
    stream.prime(resumed?.id ?? this.#openLogs().own.start(held.length), 1000)
    const replayed = resumed?.events ?? []
    const isReplayed = new Set(replayed.map(({ id }) => id))
    for (const { id, text } of [...held.filter((event) => !isReplayed.has(event.id)), ...replayed])
      stream.send({ data: text, id })
  }

  /** A client that opens another one goes on behind what it has heard. */
  endStream(): void {
    this.#stream?.end()
  }

  /** The one stream of an HTTP+SSE client: it brings everything and cannot be resumed. */
  listenPlain(stream: EventStream): void {
    this.#stream = stream
  }

  /** Remembers a running request, so that the client can cancel it. */
  began(id: RpcId): Cancellation {
    const cancellation = new Cancellation()
    this.#calls ??= new ChurnMap()
    this.#calls.set(id, cancellation)
    return cancellation
  }

  finished(id: RpcId): void {
    this.#calls?.delete(id)
  }

  cancel(id: unknown): void {
    if (isRpcId(id)) this.#calls?.get(id)?.abort(new AppError('cancelled', 'The client cancelled the request'))
  }

  /** An answer of the client to one of our questions. One that nobody waits for is dropped. */
  answered(response: RpcResponse): void {
    const question = this.#questions.get(Number(response.id))
    this.#questions.delete(Number(response.id))
    question?.resolve(response.error ? { errorText: response.error.text } : { resultText: response.resultText ?? '{}' })
  }

  end(): void {
    const gone = new AppError('cancelled', 'The session has ended')
    for (const cancellation of this.#calls?.values() ?? []) cancellation.abort(gone)
    for (const [, question] of this.#questions.entries()) question.reject(gone)
    this.#questions.clear()
    this.endStream()
  }

  #openLogs(): Logs {
    if (!this.#logs) {
      const all = createEventLog()
      this.#logs = { all, own: all.stream() }
    }
    return this.#logs
  }

  #notify(method: string, paramsText: string, reply: Reply): void {
    if (method === 'notifications/message' && !this.#wants(paramsText)) return
    const text = notificationText(method, paramsText)
    if (!reply.notify(text)) this.push(text)
  }

  #wants(paramsText: string): boolean {
    return this.logLevel === undefined || isLogged((JSON.parse(paramsText) as JsonObject)['level'], this.logLevel)
  }

  async #ask({ method, paramsText, signal }: Question, reply: Reply): Promise<Answer> {
    if (!canAnswer(this.capabilities, method, JSON.parse(paramsText) as JsonObject)) {
      throw new AppError('missing_capability', `The client cannot answer ${method}`)
    }
    const id = this.#nextQuestion
    this.#nextQuestion += 1
    const question = Promise.withResolvers<Answer>()
    this.#questions.set(id, question)
    const giveUp = (): void => {
      if (!this.#questions.delete(id)) return
      this.push(notificationText('notifications/cancelled', JSON.stringify({ requestId: id })))
      question.reject(new AppError('timeout', `The client did not answer ${method}`))
    }
    const patience = setTimeout(giveUp, ANSWER_MS_MAX)
    signal.addEventListener('abort', giveUp, { once: true })
    const text = requestText(String(id), method, paramsText)
    if (!reply.notify(text)) this.push(text)
    return question.promise.finally(() => {
      clearTimeout(patience)
      signal.removeEventListener('abort', giveUp)
    })
  }
}
