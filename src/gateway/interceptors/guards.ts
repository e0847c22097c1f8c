import { RE2JS } from 're2js'
import { AppError } from '#kernel/errors'
import { matchesAny } from '#kernel/glob'
import { isJsonObject, objectAt, type JsonObject } from '#kernel/json'
import { editObject, editStrings, memberText } from '#kernel/json-text'
import type { CallResult, Dispatch, Interceptor, RoutedCall } from '../call.ts'

/** What an operator's own code sees of a call. */
interface GuardedCall {
  readonly tool: string
  readonly server: string
  readonly principal: string
  readonly arguments: JsonObject
}

/** An operator's own code. Throwing refuses the call, with the error's message as the reason. */
export interface GuardHooks {
  /** May answer other arguments. */
  before?(call: GuardedCall): JsonObject | void | Promise<JsonObject | void>
  /** May answer another result. */
  after?(call: GuardedCall, result: JsonObject): JsonObject | void | Promise<JsonObject | void>
}

/** One rule around the calls of some tools. */
export interface Guard extends GuardHooks {
  /** Patterns of exposed names. */
  readonly tools: readonly string[]
  /** Refuse, with this reason. */
  readonly deny?: string
  readonly setArguments?: JsonObject
  readonly redact?: { readonly pattern: string; readonly replacement: string }
}

/** The operator's rules, in the order of the file. They are asked for at each call: the file may change meanwhile. */
export function createGuards(guards: () => readonly Guard[]): Interceptor {
  return function runGuards(call, next) {
    const mine = guards().filter(({ tools }) => matchesAny(tools, call.name))
    if (mine.length > 0) return guarded(mine, call, next)
    call.notes.passed ??= argumentsOf(call)
    return next(call)
  }
}

async function guarded(guards: readonly Guard[], call: RoutedCall, next: Dispatch): Promise<CallResult> {
  const { notes } = call
  const passed = notes.passed === undefined ? argumentsOf(call) : notes.passed
  notes.passed = null
  let changed = call
  for (const guard of guards) changed = await before(guard, changed)
  notes.passed = passed && sameIn(passed, argumentsOf(changed))
  let result = await next(changed)
  for (const guard of guards.toReversed()) result = await after(guard, changed, result)
  return result
}

async function before(guard: Guard, call: RoutedCall): Promise<RoutedCall> {
  if (guard.deny !== undefined) throw refused(call, guard.deny)
  const set = guard.setArguments ? withArguments(call, { ...argumentsOf(call), ...guard.setArguments }) : call
  const changed = await hooked(call, () => guard.before?.(view(set)))
  return isJsonObject(changed) ? withArguments(set, changed) : set
}

async function after(guard: Guard, call: RoutedCall, result: CallResult): Promise<CallResult> {
  const redacted = guard.redact ? redact(result, guard.redact) : result
  const changed = await hooked(call, () => guard.after?.(view(call), redacted.value))
  return isJsonObject(changed) ? { ...redacted, text: JSON.stringify(changed), value: changed } : redacted
}

async function hooked(call: RoutedCall, hook: () => unknown): Promise<unknown> {
  try {
    return await hook()
  } catch (error) {
    throw refused(call, error instanceof Error ? error.message : String(error), error)
  }
}

function refused(call: RoutedCall, reason: string, cause?: unknown): AppError {
  return new AppError('policy_violation', `${call.name} was refused by a rule of the operator: ${reason}`, { cause })
}

/** What a rule took away or wrote itself is not what the caller said. */
function sameIn(before: JsonObject, after: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(before).filter(([name, value]) => after[name] === value))
}

function argumentsOf({ params }: RoutedCall): JsonObject {
  return objectAt(params, 'arguments') ?? {}
}

function view(call: RoutedCall): GuardedCall {
  const { name, target, principal } = call
  return { tool: name, server: target.server, principal: principal.id, arguments: argumentsOf(call) }
}

/** Only the members that changed are written anew; the others keep the text they came in. */
function withArguments(call: RoutedCall, args: JsonObject): RoutedCall {
  const before = argumentsOf(call)
  const names = new Set([...Object.keys(before), ...Object.keys(args)])
  const changed = [...names].filter((name) => before[name] !== args[name])
  const edits = Object.fromEntries(
    changed.map((name) => [name, args[name] === undefined ? undefined : JSON.stringify(args[name])]),
  )
  const argumentsText = editObject(memberText(call.paramsText, 'arguments') ?? '{}', edits)
  return {
    ...call,
    paramsText: editObject(call.paramsText, { arguments: argumentsText }),
    params: { ...call.params, arguments: args },
  }
}

function redact(result: CallResult, { pattern, replacement }: NonNullable<Guard['redact']>): CallResult {
  const expression = RE2JS.compile(pattern)
  const text = editStrings(result.text, (value) => expression.matcher(value).replaceAll(replacement))
  return text === result.text ? result : { ...result, text, value: JSON.parse(text) as JsonObject }
}
