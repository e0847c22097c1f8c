import type { FastifyError } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import type { Problem } from '#contract/problem'
import { ERROR_CODES, type ErrorCode } from '#kernel/error-codes'
import { AppError, toAppError, UpstreamRpcError, ValidationError, type ErrorDetails } from '#kernel/errors'
import { memberText } from '#kernel/json-text'

const ISSUES_MAX = 20
const RETRY_AFTER_SECONDS = 1

/** A failure as HTTP says it. */
export interface ProblemReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Problem
}

/** The one place where failures become HTTP answers: no stack, path or driver's text gets past it. */
export function problemReply(error: AppError, nowMs: number): ProblemReply {
  return {
    status: error.status,
    headers: headersOf(error),
    body: {
      error: error.code,
      message: error.message,
      details: detailsOf(error),
      timestamp: new Date(nowMs).toISOString(),
    },
  }
}

/** Whatever was thrown, fastify's own refusals included, as a failure of the catalogue. */
export function failureOf(thrown: unknown): AppError {
  if (hasZodFastifySchemaValidationErrors(thrown)) return contractFailure(thrown)
  if (isEndedEarly(thrown)) return new AppError('cancelled', 'The request ended early', { cause: thrown })
  const refusal = isFastifyRefusal(thrown) ? FASTIFY_REFUSALS[thrown.statusCode ?? 500] : undefined
  return refusal ? new AppError(...refusal, { cause: thrown }) : toAppError(thrown)
}

const FASTIFY_REFUSALS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  400: ['invalid_request', 'The address or the body cannot be read'],
  403: ['not_found', 'No such address'],
  404: ['not_found', 'No such address'],
  413: ['payload_too_large', ERROR_CODES.payload_too_large.meaning],
  414: ['not_found', 'The address has a part that is too long'],
  415: ['unsupported_media_type', ERROR_CODES.unsupported_media_type.meaning],
}

function isFastifyRefusal(thrown: unknown): thrown is FastifyError {
  return thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('FST_')
}

/** The client went away before its body was there. */
function isEndedEarly(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ECONNRESET'
}

interface ContractBreach {
  readonly validation: readonly { readonly instancePath: string; readonly message?: string }[]
  readonly validationContext?: string | undefined
}

function contractFailure({ validation, validationContext }: ContractBreach): ValidationError {
  const place = validationContext === 'querystring' ? 'query' : (validationContext ?? 'request')
  const issues = validation.slice(0, ISSUES_MAX).map(({ instancePath, message }) => ({
    in: place,
    path: instancePath,
    message: message ?? 'is not accepted',
  }))
  const [first] = issues
  const where = first === undefined || first.path === '/' ? place : `${place} ${first.path}`
  return new ValidationError(`${where}: ${first?.message ?? 'is not accepted'}`, { issues })
}

function headersOf(error: AppError): Record<string, string> {
  const { allow, retry_after: retryAfter } = error.details
  if (error.status === 401) return { 'WWW-Authenticate': 'Bearer' }
  if (typeof allow === 'string') return { Allow: allow }
  if (error.status !== 429 && error.status !== 503 && typeof retryAfter !== 'number') return {}
  const seconds = Number(retryAfter ?? RETRY_AFTER_SECONDS)
  return { 'Retry-After': String(Math.max(1, Math.ceil(seconds))) }
}

function detailsOf(error: AppError): ErrorDetails {
  if (!(error instanceof UpstreamRpcError)) return error.details
  const data = memberText(error.errorText, 'data')
  return { ...error.details, data: data === undefined ? null : JSON.parse(data) }
}
