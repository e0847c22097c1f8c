import type { Call, Caller, CallKind } from '#gateway/call'
import type { Cancellation } from '#kernel/cancellation'
import { AppError, ToolNotFoundError } from '#kernel/errors'
import { traceId, uuidv7 } from '#kernel/ids'
import { objectAt, stringAt, type JsonObject } from '#kernel/json'
import { memberText } from '#kernel/json-text'
import type { RpcRequest } from '#kernel/rpc-message'
import type { Principal } from '#identity/principal'
import type { HttpRequest } from './http-exchange.ts'

/** Methods that go through the call path, and what in their params names the target. */
export const CALL_METHODS: Readonly<
  Record<string, { readonly kind: CallKind; nameOf(params: JsonObject): string | undefined }>
> = {
  'tools/call': { kind: 'tool', nameOf: (params) => stringAt(params, 'name') },
  'prompts/get': { kind: 'prompt', nameOf: (params) => stringAt(params, 'name') },
  'resources/read': { kind: 'resource', nameOf: (params) => stringAt(params, 'uri') },
  'completion/complete': {
    kind: 'completion',
    nameOf: (params) => stringAt(params['ref'], 'name') ?? stringAt(params['ref'], 'uri'),
  },
}

/** What a message becomes a call with. */
export interface CallContext {
  readonly id?: string
  readonly namespace: string | undefined
  readonly principal: Principal
  readonly caller: Caller
  readonly signal: Cancellation
  readonly traceparent?: string | undefined
}

/** Makes a call of a request. Throws `validation_error` when the params do not name a target. */
export function callOf(request: RpcRequest, context: CallContext): Call {
  const method = CALL_METHODS[request.method]
  if (!method) throw new AppError('method_not_found', `Unknown method: ${request.method}`)
  const name = method.nameOf(request.params)
  if (name === undefined) throw missingName(request)
  const traceparent = context.traceparent ?? stringAt(objectAt(request.params, '_meta'), 'traceparent')
  const knownTrace = traceIdIn(traceparent)
  const startedAt = Date.now()
  const { id, namespace, principal, caller, signal } = context
  return {
    id: id ?? uuidv7(startedAt),
    traceId: knownTrace ?? traceId(),
    traceparent: knownTrace === undefined ? undefined : traceparent,
    surface: 'mcp',
    kind: method.kind,
    method: request.method,
    name,
    namespace,
    principal,
    paramsText: request.paramsText,
    params: request.params,
    caller,
    signal,
    startedAt,
    notes: { server: '', stages: [], attempts: 0, cached: undefined },
    target: undefined,
    span: undefined,
    place: undefined,
  }
}

function missingName({ method, params }: RpcRequest): AppError {
  if (method === 'tools/call' && params['name'] !== undefined) return new ToolNotFoundError('(not a string)')
  return new AppError(
    'validation_error',
    `"${method}" needs ${method === 'resources/read' ? '"uri"' : '"name"'} as a string`,
  )
}

/** The trace that a request's headers name; that of its own `_meta` is the call's to find. */
export function traceparentOf({ headers }: Pick<HttpRequest, 'headers'>): string | undefined {
  const { traceparent } = headers
  return typeof traceparent === 'string' ? traceparent : undefined
}

/** The caller's trace goes on (W3C Trace Context); a call without one begins a trace of its own. */
function traceIdIn(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined) return undefined
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent)?.[1]
}

/** The raw text of the client's progress token; 0 and "" are tokens. */
export function progressTokenOf(request: RpcRequest): { progressTokenText: string } | undefined {
  const token = objectAt(request.params, '_meta')?.['progressToken']
  if (typeof token !== 'string' && typeof token !== 'number') return undefined
  const meta = memberText(request.paramsText, '_meta') ?? '{}'
  return { progressTokenText: memberText(meta, 'progressToken') ?? JSON.stringify(token) }
}

/** Which client capability a server's question needs (2025-11-25, client features). */
export function neededCapability(method: string, params: JsonObject): JsonObject | undefined {
  switch (method) {
    case 'sampling/createMessage':
      return { sampling: {} }
    case 'elicitation/create':
      return params['mode'] === 'url' ? { elicitation: { url: {} } } : { elicitation: {} }
    case 'roots/list':
      return { roots: {} }
    default:
      return undefined
  }
}

/** Whether the client declared what a question needs. An elicitation capability without modes means forms. */
export function canAnswer(capabilities: JsonObject, method: string, params: JsonObject): boolean {
  const needed = neededCapability(method, params)
  if (!needed) return true
  const name = Object.keys(needed)[0] ?? ''
  const declared = objectAt(capabilities, name)
  if (!declared) return false
  return objectAt(needed[name], 'url') === undefined || objectAt(declared, 'url') !== undefined
}
