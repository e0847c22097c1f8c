import type { Caller, RoutedCall } from '#gateway/call'
import { isJsonObject, objectAt, type JsonObject } from '#kernel/json'
import { editObject, memberText, type Edits } from '#kernel/json-text'
import { encodeHeaderValue, mirroredHeaders, paramHeaders, type ParamHeader } from '#kernel/param-headers'
import { GATEWAY_INFO_TEXT, META, MODERN_VERSION } from '#kernel/protocol'
import type { Era } from '#registry/records'

/** What the eras say differently about one request. */
export interface Codec {
  /** The params for the upstream: its own names, our progress token, and only the members its era knows. */
  params(call: RoutedCall, requestId: number): string
  /** HTTP headers that mirror the body, and the caller's trace. */
  headers(call: RoutedCall): Readonly<Record<string, string>> | undefined
}

export const CODECS: Readonly<Record<Era, Codec>> = {
  legacy: {
    params: (call, requestId) => edited(call, requestId, withoutClaim(call)),
    headers: traceHeader,
  },
  modern: {
    params: (call, requestId) => edited(call, requestId, { meta: addClaim, top: {} }),
    headers: (call) =>
      modernHeaders(call.method, call.target.originalName, { ...callHeaders(call), ...traceHeader(call) }),
  },
}

function traceHeader({ traceparent }: RoutedCall): Readonly<Record<string, string>> | undefined {
  return traceparent === undefined ? undefined : { traceparent }
}

/** The headers of 2026-07-28 (basic/transports, «Standard Request Headers») for one request of any method. */
export function modernHeaders(
  method: string,
  name: string | undefined,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const named = name === undefined || !NAMED_METHODS.has(method) ? {} : { 'mcp-name': encodeHeaderValue(name) }
  return { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': method, ...named, ...more }
}

const NAMED_METHODS = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** The `_meta` members that a request of ours, on nobody's behalf, carries. */
export function ownClaim(): JsonObject {
  return {
    [META.protocolVersion]: MODERN_VERSION,
    [META.clientCapabilities]: {},
    [META.clientInfo]: JSON.parse(GATEWAY_INFO_TEXT) as JsonObject,
  }
}

type MetaEdits = (caller: Caller, meta: JsonObject | undefined) => Edits

interface EraEdits {
  readonly meta: MetaEdits
  /** Of the params themselves. */
  readonly top: Edits
}

const addClaim: MetaEdits = ({ profile, logLevel }, meta) => {
  if (meta && META.protocolVersion in meta) return {}
  return {
    [META.protocolVersion]: JSON.stringify(MODERN_VERSION),
    [META.clientCapabilities]: JSON.stringify(profile.capabilities),
    [META.clientInfo]: profile.infoText ?? GATEWAY_INFO_TEXT,
    ...(logLevel === undefined ? {} : { [META.logLevel]: JSON.stringify(logLevel) }),
  }
}

function withoutClaim(call: RoutedCall): EraEdits {
  const isModern = objectAt(call.params, '_meta')?.[META.protocolVersion] !== undefined
  if (!isModern) return { meta: () => ({}), top: {} }
  const removed = {
    [META.protocolVersion]: undefined,
    [META.clientCapabilities]: undefined,
    [META.clientInfo]: undefined,
    [META.logLevel]: undefined,
  }
  return { meta: () => removed, top: { inputResponses: undefined, requestState: undefined, task: undefined } }
}

function edited(call: RoutedCall, requestId: number, { meta, top }: EraEdits): string {
  const { caller, params, paramsText } = call
  const metaValue = objectAt(params, '_meta')
  const token = caller.progressTokenText === undefined ? {} : { progressToken: String(requestId) }
  const metaEdits = { ...meta(caller, metaValue), ...token }
  const edits: Record<string, string | undefined> = { ...nameEdits(call), ...top }
  if (Object.keys(metaEdits).length > 0) {
    const metaText = editObject(metaValue ? (memberText(paramsText, '_meta') ?? '{}') : '{}', metaEdits)
    edits['_meta'] = metaText === '{}' ? undefined : metaText
  }
  return Object.keys(edits).length === 0 ? paramsText : editObject(paramsText, edits)
}

function nameEdits({ method, params, paramsText, name, target }: RoutedCall): Edits {
  if (name === target.originalName) return {}
  const original = JSON.stringify(target.originalName)
  if (method !== 'completion/complete') return { name: original }
  return isJsonObject(params['ref'])
    ? { ref: editObject(memberText(paramsText, 'ref') ?? '{}', { name: original }) }
    : {}
}

/** A modern client's own headers pass unchanged; for everybody else we mirror the arguments. */
function callHeaders({ caller, params, target }: RoutedCall): Readonly<Record<string, string>> {
  if (caller.paramHeaders) return caller.paramHeaders
  const schemaText = target.tool?.inputSchemaText
  if (schemaText === undefined || !schemaText.includes('x-mcp-header')) return {}
  return mirroredHeaders(planFor(schemaText), objectAt(params, 'arguments') ?? {})
}

const plans = new Map<string, readonly ParamHeader[]>()
const PLANS_MAX = 1000

function planFor(schemaText: string): readonly ParamHeader[] {
  const known = plans.get(schemaText)
  if (known) return known
  if (plans.size >= PLANS_MAX) plans.clear()
  const plan = paramHeaders(JSON.parse(schemaText) as JsonObject) ?? []
  plans.set(schemaText, plan)
  return plan
}
