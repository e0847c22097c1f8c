import type { RoutedCall } from '#gateway/call'
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
    params: (call, requestId) => edited(call, requestId, withClaim(call)),
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

/** What an era changes in the params: of `_meta`, and at the top. */
interface EraEdits {
  readonly meta: Edits
  readonly top: Edits
}

/** Always these same: a call that needs no edit is seen without looking through one. */
const NONE: Edits = {}
const UNCHANGED: EraEdits = { meta: NONE, top: NONE }

function withClaim({ caller: { profile, logLevel }, params }: RoutedCall): EraEdits {
  const meta = objectAt(params, '_meta')
  if (meta && META.protocolVersion in meta) return UNCHANGED
  const claim = {
    [META.protocolVersion]: JSON.stringify(MODERN_VERSION),
    [META.clientCapabilities]: JSON.stringify(profile.capabilities),
    [META.clientInfo]: profile.infoText ?? GATEWAY_INFO_TEXT,
    ...(logLevel === undefined ? {} : { [META.logLevel]: JSON.stringify(logLevel) }),
  }
  return { meta: claim, top: NONE }
}

const WITHOUT_CLAIM: EraEdits = {
  meta: {
    [META.protocolVersion]: undefined,
    [META.clientCapabilities]: undefined,
    [META.clientInfo]: undefined,
    [META.logLevel]: undefined,
  },
  top: { inputResponses: undefined, requestState: undefined, task: undefined },
}

function withoutClaim({ params }: RoutedCall): EraEdits {
  return objectAt(params, '_meta')?.[META.protocolVersion] === undefined ? UNCHANGED : WITHOUT_CLAIM
}

function edited(call: RoutedCall, requestId: number, { meta, top }: EraEdits): string {
  const { caller, params, paramsText } = call
  const isWatched = caller.progressTokenText !== undefined
  const name = nameEdits(call)
  if (meta === NONE && top === NONE && !isWatched) return name === NONE ? paramsText : editObject(paramsText, name)
  const edits: Record<string, string | undefined> = { ...name, ...top }
  const metaEdits = isWatched ? { ...meta, progressToken: String(requestId) } : meta
  if (metaEdits !== NONE) {
    const metaText = objectAt(params, '_meta') ? memberText(paramsText, '_meta') : undefined
    const editedText = editObject(metaText ?? '{}', metaEdits)
    edits['_meta'] = editedText === '{}' ? undefined : editedText
  }
  return editObject(paramsText, edits)
}

function nameEdits({ method, params, paramsText, name, target }: RoutedCall): Edits {
  if (name === target.originalName) return NONE
  const original = JSON.stringify(target.originalName)
  if (method !== 'completion/complete') return { name: original }
  return isJsonObject(params['ref'])
    ? { ref: editObject(memberText(paramsText, 'ref') ?? '{}', { name: original }) }
    : NONE
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
