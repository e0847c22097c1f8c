import { ERROR_CODES, type ErrorCode } from './error-codes.ts'

/** What a caller may read beside the message. Never a stack, a driver's text or a secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/** An expected failure with a code of the catalogue. Anything else that is thrown is a bug. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
  }

  get status(): number {
    return ERROR_CODES[this.code].status
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable
  }
}

/** A parameter of the caller is wrong; `details` names it. */
export class ValidationError extends AppError {
  constructor(message: string, details?: ErrorDetails) {
    super('validation_error', message, details ? { details } : {})
  }
}

/** No tool has this name, or the caller may not know that one has. */
export class ToolNotFoundError extends AppError {
  constructor(name: string) {
    super('tool_not_found', `Unknown tool: ${name}`, { details: { name } })
  }
}

/** The tool was reached, or should have been, and no result came of it. */
class ToolExecutionError extends AppError {
  constructor(message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super('tool_execution_error', message, options)
  }
}

/**
 * A JSON-RPC error that an upstream answered. It travels to an MCP client as it came, `data` included;
 * REST shows it as `tool_execution_error`.
 */
export class UpstreamRpcError extends ToolExecutionError {
  readonly rpcCode: number
  /** The raw text of the `error` member. */
  readonly errorText: string
  /** The protocol era whose codes it uses, once the upstream's is known. */
  readonly era: 'legacy' | 'modern' | undefined

  constructor(upstream: string, error: { code: number; message: string; text: string }, era?: UpstreamRpcError['era']) {
    super(error.message, { details: { server: upstream, rpc_code: error.code } })
    this.rpcCode = error.code
    this.errorText = error.text
    this.era = era
  }
}

/** Turns whatever was thrown into an AppError; what is none becomes `internal_error` with the cause kept for the log. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return new AppError('internal_error', 'The gateway failed on this request', { cause: thrown })
}

/** The plain sentence of whatever was thrown: for statuses and logs, never for callers. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
