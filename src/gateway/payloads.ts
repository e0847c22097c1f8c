import { AppError } from '#kernel/errors'
import { objectAt, type JsonObject } from '#kernel/json'
import { redacted } from '#kernel/redact'
import type { Call, CallResult, RoutedTool } from './call.ts'
import type { Payload, Payloads } from './executions.ts'
import { redactedTexts } from './redacted-texts.ts'

/** What an operator wants the history to keep of what calls carry. */
export type KeptPayloads = 'none' | 'arguments' | 'all'

/** Longer ones are not looked through: that would hold up other calls, and what was not looked through is not kept. */
const READ_CHARS_MAX = 262_144
/** Of one payload, after its secrets are gone. */
const KEPT_CHARS_MAX = 16_384

/** What is kept of a call beside its facts; undefined where that is nothing. */
export type PayloadsOf = (call: Call, outcome: CallResult | AppError) => Payloads | undefined

/** Undefined where the operator wants none: then no call pays for it. */
export function createPayloads(kept: KeptPayloads, hasGuards: () => boolean): PayloadsOf | undefined {
  if (kept === 'none') return undefined
  return function payloadsOf(call, outcome) {
    const args = argumentsPayload(call, hasGuards())
    const result = kept === 'all' && !(outcome instanceof AppError) ? resultPayload(call, outcome) : undefined
    if (!args && !result) return undefined
    return { ...(args && { arguments: args }), ...(result && { result }) }
  }
}

/** Where there are rules, only what they let through as the caller wrote it: what they took away, changed or refused is not kept. */
function argumentsPayload({ kind, params, paramsText, notes, target }: Call, hasGuards: boolean): Payload | undefined {
  const mayBeJudged = kind === 'tool' && hasGuards
  const args = notes.passed === undefined && !mayBeJudged ? objectAt(params, 'arguments') : notes.passed
  const schema = schemaOf(target?.tool, 'inputSchema')
  return args ? payload(paramsText.length, () => redactedTexts(redacted(args, schema), schema)) : undefined
}

function resultPayload({ notes, target }: Call, { text, value }: CallResult): Payload {
  const schema = schemaOf(notes.fallbackTool ?? target?.tool, 'outputSchema')
  return payload(text.length, () => redactedTexts(redactedResult(value, schema), schema))
}

function schemaOf(tool: RoutedTool | undefined, member: 'inputSchema' | 'outputSchema'): JsonObject | undefined {
  return tool && objectAt(tool.definition, member)
}

/** The schema is one of `structuredContent`. */
function redactedResult({ structuredContent, ...rest }: JsonObject, schema: JsonObject | undefined): unknown {
  const others = redacted(rest) as JsonObject
  return structuredContent === undefined
    ? others
    : { ...others, structuredContent: redacted(structuredContent, schema) }
}

function payload(chars: number, clean: () => unknown): Payload {
  if (chars > READ_CHARS_MAX) return { text: '', isCut: true }
  const text = JSON.stringify(clean())
  return text.length > KEPT_CHARS_MAX ? { text: text.slice(0, KEPT_CHARS_MAX), isCut: true } : { text, isCut: false }
}
