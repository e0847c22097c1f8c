import { AppError } from '#kernel/errors'
import type { LogFields, Logger } from '#kernel/logger'
import type { Call, Observer } from './call.ts'

interface TraceDeps {
  readonly log: Logger
  /** A call that takes longer than this is said to be slow. */
  readonly slowMs: number
  /** Epoch milliseconds. */
  now(): number
}

/** One log line a call, with the trace id that the upstream was given too. */
export function createTrace({ log, slowMs, now }: TraceDeps): Observer {
  return function trace(call, outcome) {
    const ms = now() - call.startedAt
    if (outcome instanceof AppError) log.info({ ...factsOf(call, ms), error: outcome.message }, 'call failed')
    if (ms > slowMs) log.warn({ ...factsOf(call, ms), slow: true }, 'slow call')
    else log.debug(factsOf(call, ms), 'call finished')
  }
}

function factsOf({ id, traceId, requestId, name, notes }: Call, ms: number): LogFields {
  return { call_id: id, traceId, request_id: requestId, name, server: notes.server, ms }
}
