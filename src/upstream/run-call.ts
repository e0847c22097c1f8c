import type { Answer, Caller, CallResult, RoutedCall } from '#gateway/call'
import { AppError, UpstreamRpcError } from '#kernel/errors'
import { isJsonObject, objectAt, stringAt, type JsonObject } from '#kernel/json'
import { editObject, memberText, membersOf } from '#kernel/json-text'
import { endingWith, type Span, type SpanFacts } from '#kernel/span'
import { CODECS } from './codec.ts'
import type { SessionPool } from './pool.ts'
import type { SessionResult, UpstreamSession } from './session.ts'

/** How often a server may ask for more input in one call. */
const ROUNDS_MAX = 16

/** Runs one call on one session, in the words of the session's era. The pool is told when the session holds more of it than the answer. */
export function runCall(
  session: UpstreamSession,
  call: RoutedCall,
  pool: Pick<SessionPool, 'keep'>,
): Promise<CallResult> {
  const { era, serverInfoText } = session.agreement
  const answered = ({ text, value }: SessionResult): CallResult => {
    if (call.params['task'] !== undefined && isJsonObject(value['task'])) pool.keep(session, call)
    return { text, value, server: session.server, era, serverInfoText }
  }
  return send(session, call).then((result) =>
    needsAnswers(result, call.caller) ? untilAnswered(session, call, result).then(answered) : answered(result),
  )
}

/** Puts the server's questions to the caller until it has asked enough. */
async function untilAnswered(session: UpstreamSession, call: RoutedCall, asked: SessionResult): Promise<SessionResult> {
  let result = asked
  for (let round = 0; needsAnswers(result, call.caller); round += 1) {
    if (round === ROUNDS_MAX) {
      throw new AppError('upstream_protocol_error', `${session.server} asked for input more than ${ROUNDS_MAX} times`)
    }
    result = await send(session, await withAnswers(call, result))
  }
  return result
}

function send(session: UpstreamSession, call: RoutedCall): Promise<SessionResult> {
  const span = call.span?.child(call.method, 'client', factsOf(session, call))
  return span ? endingWith(span, request(session, tracedCall(session, call, span))) : request(session, call)
}

function factsOf({ server, transport }: UpstreamSession, { target }: RoutedCall): SpanFacts {
  return { 'metamcp.server': server, 'mcp.transport': transport.kind, 'metamcp.original_name': target.originalName }
}

/**
 * The call as this span sends it on. The trace goes in the header where each call has one, else in `_meta`; also in `_meta`
 * where the caller has put its own, because the upstream may read it there.
 */
function tracedCall({ transport }: UpstreamSession, call: RoutedCall, { traceparent }: Span): RoutedCall {
  const { params, paramsText } = call
  const isInMeta = objectAt(params, '_meta')?.['traceparent'] !== undefined
  if (transport.hasCallStreams && !isInMeta) return { ...call, traceparent }
  const meta = editObject(memberText(paramsText, '_meta') ?? '{}', { traceparent: JSON.stringify(traceparent) })
  const text = editObject(paramsText, { _meta: meta })
  return { ...call, traceparent, paramsText: text, params: JSON.parse(text) as JsonObject }
}

function request(session: UpstreamSession, call: RoutedCall): Promise<SessionResult> {
  const codec = CODECS[session.agreement.era]
  const headers = session.transport.hasCallStreams ? codec.headers(call) : undefined
  return session.request({
    method: call.method,
    params: (requestId) => codec.params(call, requestId),
    caller: call.caller,
    signal: call.signal,
    headers,
  })
}

function needsAnswers({ value }: SessionResult, caller: Caller): boolean {
  return value['resultType'] === 'input_required' && !caller.takesInputRequired
}

/** The same call again with the answers of a client that can be asked, and the exact state that the server gave. */
async function withAnswers(call: RoutedCall, result: SessionResult): Promise<RoutedCall> {
  const requests = memberText(result.text, 'inputRequests') ?? '{}'
  const entries = isJsonObject(result.value['inputRequests']) ? membersOf(requests) : []
  const answers = await Promise.all(
    entries.map(async ({ key, start, end }) => [key, await answerOf(call, requests.slice(start, end))] as const),
  )
  const inputResponses = `{${answers.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
  const requestState = memberText(result.text, 'requestState')
  const paramsText = editObject(call.paramsText, { inputResponses, requestState })
  // The answers are ours to send although this caller does not speak them.
  const caller: Caller = { ...call.caller, takesInputRequired: true }
  return {
    ...call,
    paramsText,
    params: JSON.parse(paramsText) as JsonObject,
    caller: { ...caller, takesInputRequired: true },
  }
}

async function answerOf({ caller, signal, target }: RoutedCall, requestText: string): Promise<string> {
  const request = JSON.parse(requestText) as JsonObject
  const method = stringAt(request, 'method') ?? ''
  if (!caller.ask) {
    throw new AppError('missing_capability', `${target.server} asks for ${method}, which this caller cannot answer`)
  }
  const answer: Answer = await caller.ask({ method, paramsText: memberText(requestText, 'params') ?? '{}', signal })
  if ('resultText' in answer) return answer.resultText
  const error = JSON.parse(answer.errorText) as { code: number; message: string }
  throw new UpstreamRpcError(target.server, { ...error, text: answer.errorText })
}
