import { Cancellation } from '#kernel/cancellation'
import { AppError, messageOf } from '#kernel/errors'
import type { ErrorCode } from '#kernel/error-codes'
import { objectAt } from '#kernel/json'
import { editObject, memberText } from '#kernel/json-text'
import { META } from '#kernel/protocol'
import type { CatalogTool } from '#registry/catalog-view'
import type { CallResult, Dispatch, Interceptor, RoutedCall } from '../call.ts'
import { toolTarget } from '../route.ts'
import type { VisibleViews } from '../visible-views.ts'
import { judgeResult } from './breaker.ts'

/** What speaks of the server, not of the call. */
const CODES = new Set<ErrorCode>([
  'upstream_unavailable',
  'upstream_session_lost',
  'upstream_protocol_error',
  'circuit_breaker_open',
  'overloaded',
  'timeout',
])

/**
 * Calls another tool, where the operator named one, when the server of the first cannot. The result says so, and so does the
 * history. Who may not use the other tool gets the failure of the first.
 */
export function createFallback(views: VisibleViews): Interceptor {
  return function fallback(call, next) {
    const name = call.target.tool?.fallback
    return name === undefined || !mayMove(call) ? next(call) : withFallback(views, { call, name }, next)
  }
}

/** The middle of a conversation with one server, or a task of it, is nothing for another. */
function mayMove({ params }: RoutedCall): boolean {
  return params['task'] === undefined && params['requestState'] === undefined
}

async function withFallback(
  views: VisibleViews,
  { call, name }: { call: RoutedCall; name: string },
  next: Dispatch,
): Promise<CallResult> {
  const first = await outcomeOf(next, { ...call, signal: following(call.signal) })
  const { reason } = first
  const tool = reason && !call.signal.aborted && views.view(call.principal, call.namespace)?.toolByName.get(name)
  if (!tool) return settled(first)
  try {
    return await instead(call, { tool, reason }, next)
  } catch (error) {
    return settled(first, ` (and instead of it ${name}: ${messageOf(error)})`)
  }
}

function settled(outcome: Outcome, also = ''): CallResult {
  if ('result' in outcome) return outcome.result
  const { error } = outcome
  if (also === '' || !(error instanceof AppError)) throw error
  throw new AppError(error.code, error.message + also, { details: error.details, cause: error })
}

type Outcome = { readonly reason: string | undefined } & ({ readonly result: CallResult } | { readonly error: unknown })

async function outcomeOf(next: Dispatch, call: RoutedCall): Promise<Outcome> {
  try {
    const result = await next(call)
    return { result, reason: judgeResult(result) === 'failure' ? `HTTP ${result.status}` : undefined }
  } catch (error) {
    return { error, reason: serverFailure(error) }
  }
}

/** The code of a failure that speaks of the server: another, or an older answer, may do. Undefined for one of the call. */
export function serverFailure(error: unknown): ErrorCode | undefined {
  return error instanceof AppError && CODES.has(error.code) ? error.code : undefined
}

/** A time limit that ends one of the two calls leaves the other alone; a caller who goes ends both. */
function following(signal: Cancellation): Cancellation {
  const own = new Cancellation()
  if (signal.aborted) own.abort(signal.reason)
  else signal.addEventListener('abort', () => own.abort(signal.reason))
  return own
}

async function instead(
  call: RoutedCall,
  { tool, reason }: { tool: CatalogTool; reason: string },
  next: Dispatch,
): Promise<CallResult> {
  const { exposedName: name, server } = tool
  const { paramHeaders: _ofTheFirst, ...caller } = call.caller
  const notes = { ...call.notes, attempts: 0 }
  const target = toolTarget(tool)
  Object.assign(call.notes, { server, fallback: name, fallbackTool: target.tool })
  try {
    const result = await next({
      ...call,
      name,
      caller,
      notes,
      target,
      signal: following(call.signal),
      params: { ...call.params, name },
      paramsText: editObject(call.paramsText, { name: JSON.stringify(name) }),
    })
    return marked(result, { tool: name, server, insteadOf: call.name, reason })
  } finally {
    call.notes.attempts += notes.attempts
    if (notes.passed !== undefined) call.notes.passed = notes.passed
  }
}

interface Mark {
  readonly tool: string
  readonly server: string
  readonly insteadOf: string
  readonly reason: string
}

function marked(result: CallResult, mark: Mark): CallResult {
  const metaText = objectAt(result.value, '_meta') ? memberText(result.text, '_meta') : undefined
  const meta = editObject(metaText ?? '{}', { [META.fallback]: JSON.stringify(mark) })
  const value = { ...result.value, _meta: JSON.parse(meta) as CallResult['value'] }
  return { ...result, text: editObject(result.text, { _meta: meta }), value, fallback: mark.tool }
}
