import type { Call, Caller, CallResult } from '#gateway/call'
import { route } from '#gateway/route'
import { Cancellation } from '#kernel/cancellation'
import { AppError } from '#kernel/errors'
import { uuidv7 } from '#kernel/ids'
import { isJsonObject, objectAt, type JsonObject } from '#kernel/json'
import { editObject, memberText } from '#kernel/json-text'
import { isLogged, META } from '#kernel/protocol'
import { notificationText, type RpcRequest } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import { markedText } from './cached-mark.ts'
import type { McpDeps } from './mcp-deps.ts'
import type { Claim } from './modern-claim.ts'
import { ParkedRun, type Step } from './parked-run.ts'
import { callOf, progressTokenOf } from './primitives.ts'
import type { Reply } from './reply.ts'
import { createRequestStates, type RequestState } from './request-state.ts'

/** A call whose client was asked something and does not come back is given up after this. */
const PARKED_MS_MAX = 10 * 60_000
const PARKED_MAX = 1000
const MISSED_MAX = 1000
const ASKABLE = ['sampling', 'elicitation', 'roots']

/** One modern request that goes through the call path. */
interface ModernRequest {
  readonly request: RpcRequest
  readonly claim: Claim
  readonly principal: Principal
  readonly namespace: string | undefined
  readonly paramHeaders: Readonly<Record<string, string>>
  readonly traceparent?: string
  readonly reply: Reply
  /** Called when the client closes the stream: in this era that is a cancel. */
  onClose(listener: () => void): void
}

/** Calls of stateless clients, and those that wait for a client to come back. */
export interface ModernCalls extends Disposable {
  /** The raw text of the result. Rejects with AppError. */
  run(modern: ModernRequest): Promise<string>
}

interface Parked {
  readonly id: string
  readonly run: ParkedRun
  readonly cancellation: Cancellation
  reply: Reply
  /** Of the request that is open now: each retry brings a token of its own. */
  progressTokenText: string | undefined
  /** What the server told while the client was away with our questions. */
  readonly missed: (readonly [method: string, paramsText: string])[]
  round: number
  expiry?: NodeJS.Timeout
}

export function createModernCalls(deps: McpDeps): ModernCalls {
  const states = createRequestStates(deps.sealer, deps.now)
  const parked = new Map<string, Parked>()

  const drop = (waiting: Parked): void => {
    clearTimeout(waiting.expiry)
    parked.delete(waiting.id)
  }
  const park = (waiting: Parked): void => {
    if (parked.size >= PARKED_MAX) throw new AppError('overloaded', 'Too many calls wait for their clients')
    waiting.round += 1
    waiting.expiry = setTimeout(() => {
      drop(waiting)
      waiting.cancellation.abort(new AppError('timeout', 'The client did not come back with the answers'))
    }, PARKED_MS_MAX).unref()
    parked.set(waiting.id, waiting)
  }
  const finish = async (waiting: Parked, modern: ModernRequest): Promise<string> => {
    modern.onClose(() => {
      // A client that went away with our questions is expected back; one that hung up in mid-call is not.
      if (!parked.has(waiting.id)) waiting.cancellation.abort(new AppError('cancelled', 'The client closed the stream'))
    })
    const step: Step = await waiting.run.next()
    if (step.kind === 'error') throw step.error
    if (step.kind === 'result') return modernText(step.result, modern, (state) => states.seal(state, modern))
    park(waiting)
    const state = states.seal({ kind: 'parked', run: waiting.id, round: waiting.round }, modern)
    return `{"resultType":"input_required","inputRequests":${step.inputRequestsText},"requestState":${JSON.stringify(state)}}`
  }
  const resume = (state: Extract<RequestState, { kind: 'parked' }>, modern: ModernRequest): Promise<string> => {
    const waiting = parked.get(state.run)
    if (waiting?.round !== state.round) {
      throw new AppError('validation_error', 'The requestState was used already, or its call has ended')
    }
    drop(waiting)
    waiting.reply = modern.reply
    waiting.progressTokenText = progressTokenOf(modern.request)?.progressTokenText
    for (const [method, missedText] of waiting.missed.splice(0)) tell(waiting, method, missedText)
    const { params, paramsText } = modern.request
    waiting.run.answer(objectAt(params, 'inputResponses') ?? {}, memberText(paramsText, 'inputResponses') ?? '{}')
    return finish(waiting, modern)
  }
  return {
    async run(modern) {
      const { request } = modern
      const sealed = request.params['requestState']
      if (sealed === undefined) return finish(begin(deps, modern, request), modern)
      const state = states.open(sealed, modern)
      if (state.kind === 'parked') return resume(state, stillAllowed(deps, modern))
      return finish(begin(deps, modern, withState(request, state.stateText)), modern)
    },
    [Symbol.dispose]() {
      for (const waiting of parked.values()) {
        drop(waiting)
        waiting.cancellation.abort(new AppError('unavailable', 'The gateway stops'))
      }
    },
  }
}

/** The caller may have lost what it needs for the call while this waited: then there is no such thing for it. */
function stillAllowed({ views }: McpDeps, modern: ModernRequest): ModernRequest {
  const caller: Caller = { sessionKey: '', profile: { capabilities: {} } }
  const { request, principal, namespace } = modern
  route(views, callOf(request, { principal, namespace, caller, signal: new Cancellation() }))
  return modern
}

function withState(request: RpcRequest, stateText: string): RpcRequest {
  const paramsText = editObject(request.paramsText, { requestState: stateText })
  return { ...request, paramsText, params: JSON.parse(paramsText) as JsonObject }
}

function begin(deps: McpDeps, modern: ModernRequest, request: RpcRequest): Parked {
  const cancellation = new Cancellation()
  const run = new ParkedRun(modern.claim.capabilities, (reason) => cancellation.abort(reason))
  const { progressTokenText } = progressTokenOf(request) ?? {}
  const { reply } = modern
  const waiting: Parked = { id: uuidv7(), run, cancellation, reply, progressTokenText, missed: [], round: 0 }
  const { principal, namespace, traceparent } = modern
  const call: Call = callOf(request, {
    id: waiting.id,
    principal,
    caller: callerFor(modern, waiting),
    signal: cancellation,
    namespace,
    traceparent,
  })
  const outcome = deps.gateway.run(call)
  run.follow(outcome)
  const over = (): void => deps.forget(waiting.id)
  if (call.caller.ask) outcome.then(over, over)
  return waiting
}

function callerFor({ claim, request, paramHeaders }: ModernRequest, waiting: Parked): Caller {
  const { capabilities, infoText, logLevel } = claim
  const { run } = waiting
  const canBeAsked = ASKABLE.some((name) => capabilities[name] !== undefined)
  return {
    sessionKey: waiting.id,
    profile: { capabilities, ...(infoText === undefined ? {} : { infoText }) },
    takesInputRequired: true,
    lacks: (method) => void run.lacks(method),
    ...(canBeAsked ? { ask: (question) => run.ask(question) } : {}),
    notify(method, paramsText) {
      if (method === 'notifications/message' && !isLogged((JSON.parse(paramsText) as JsonObject)['level'], logLevel))
        return
      tell(waiting, method, paramsText)
    },
    ...progressTokenOf(request),
    ...(logLevel === undefined ? {} : { logLevel }),
    ...(Object.keys(paramHeaders).length > 0 ? { paramHeaders } : {}),
  }
}

/** On the stream of the request that is open now; between two of them it waits for the next. */
function tell({ reply, progressTokenText, missed }: Parked, method: string, paramsText: string): void {
  if (!reply.isOpen) {
    if (missed.length < MISSED_MAX) missed.push([method, paramsText])
  } else if (method !== 'notifications/progress') reply.notify(notificationText(method, paramsText))
  else if (progressTokenText !== undefined)
    reply.notify(notificationText(method, editObject(paramsText, { progressToken: progressTokenText })))
}

/** A result in the words of the modern era: a modern server's own but for its state, a legacy server's with what is missing. */
function modernText(result: CallResult, { request }: ModernRequest, seal: (state: RequestState) => string): string {
  const { era, value, serverInfoText } = result
  const text = markedText(result)
  if (era === 'modern') {
    const stateText = value['resultType'] === 'input_required' ? memberText(text, 'requestState') : undefined
    if (stateText === undefined) return text
    return editObject(text, { requestState: JSON.stringify(seal({ kind: 'upstream', stateText })) })
  }
  const metaText = isJsonObject(value['_meta']) || result.cached ? (memberText(text, '_meta') ?? '{}') : '{}'
  const stamped =
    serverInfoText === undefined ? {} : { _meta: editObject(metaText, { [META.serverInfo]: serverInfoText }) }
  const hints = request.method === 'resources/read' ? { ttlMs: '0', cacheScope: '"private"' } : {}
  return editObject(text, { resultType: '"complete"', ...hints, ...stamped })
}
