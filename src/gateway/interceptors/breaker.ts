import type { ErrorCode } from '#kernel/error-codes'
import { AppError, UpstreamRpcError } from '#kernel/errors'
import type { Verdict } from '#resilience/breaker'
import type { Breakers } from '../breakers.ts'
import type { CallResult, Interceptor } from '../call.ts'

/** An upstream that failed too often rests: its calls are refused at once, and it gets none of them. */
export function createBreakerLink(breakers: Pick<Breakers, 'of'>): Interceptor {
  return function breaker(call, next) {
    return breakers.of(call.target).run(next, call)
  }
}

/** A tool's own failure is an answer. Of a plain HTTP API nothing tells better than its status. */
export function judgeResult({ status }: CallResult): Verdict {
  return status !== undefined && status >= 500 ? 'failure' : 'success'
}

/** No answer in time, none at all, one that cannot be read, or 5xx: what a server says in its own words is none of these. */
export function judgeError(error: unknown): Verdict {
  if (error instanceof UpstreamRpcError) return 'success'
  if (!(error instanceof AppError)) return 'neither'
  if (error.code === 'upstream_unavailable')
    return Number(error.details['status'] ?? 500) >= 500 ? 'failure' : 'success'
  return FAILURES.has(error.code) ? 'failure' : 'neither'
}

const FAILURES = new Set<ErrorCode>(['timeout', 'upstream_protocol_error', 'upstream_session_lost'])
