import { createVisibleViews, type VisibleViews } from '#gateway/visible-views'
import { createPolicy } from '#policy/policy'
import { BUILT_IN_ROLES } from '#policy/roles'
import type { Catalog } from '#registry/registry-api'
import type { Call, CallKind, CallResult, Caller, RoutedCall, Target } from '#gateway/call'
import { Cancellation } from '#kernel/cancellation'
import { traceId, uuidv7 } from '#kernel/ids'
import type { JsonObject } from '#kernel/json'
import { person } from './person.ts'

const METHODS: Readonly<Record<CallKind, string>> = {
  tool: 'tools/call',
  prompt: 'prompts/get',
  resource: 'resources/read',
  completion: 'completion/complete',
}

export interface CallParts {
  readonly kind?: CallKind
  readonly name?: string
  readonly namespace?: string
  readonly params?: JsonObject
  readonly paramsText?: string
  readonly surface?: Call['surface']
  readonly caller?: Partial<Caller>
  readonly signal?: AbortSignal
  readonly startedAt?: number
}

/** A call as a surface would make it. */
export function testCall(parts: CallParts = {}): Call {
  const { kind = 'tool', name = 'files__read', namespace, surface = 'mcp', startedAt = Date.now() } = parts
  const params = parts.params ?? { name }
  return {
    id: uuidv7(),
    traceId: traceId(),
    surface,
    kind,
    method: METHODS[kind],
    name,
    traceparent: undefined,
    namespace,
    principal: person('alice'),
    paramsText: parts.paramsText ?? JSON.stringify(params),
    params,
    caller: { sessionKey: 'test', profile: { capabilities: {} }, ...parts.caller },
    signal: parts.signal ? Cancellation.following(parts.signal) : new Cancellation(),
    startedAt,
    notes: { server: '', stages: [], attempts: 0, cached: undefined },
    target: undefined,
    span: undefined,
    place: undefined,
  }
}

/** The same with a target. */
export function routedCall(parts: CallParts = {}, target: Partial<Target> = {}): RoutedCall {
  const way = { upstreamId: 'u1', server: 'files', originalName: 'read', timeoutMs: 1000, maxConcurrency: 4 }
  return { ...testCall(parts), target: { ...way, ...target } }
}

/** A result as a legacy upstream called `files` would give it. */
export function callResult(text = '{"content":[]}'): CallResult {
  return { text, value: JSON.parse(text) as JsonObject, server: 'files', era: 'legacy' }
}

/** Views in which nothing is hidden. */
export function everything(catalog: Catalog): VisibleViews {
  return createVisibleViews(catalog, createPolicy(BUILT_IN_ROLES))
}
