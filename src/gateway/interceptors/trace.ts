import { messageOf } from '#kernel/errors'
import type { LogFields, Logger } from '#kernel/logger'
import type { Interceptor, RoutedCall } from '../call.ts'

/** A call that takes longer than this is said to be slow. */
const SLOW_MS = 5000

/** One log line a call, with the trace id that the upstream was given too. */
export function createTrace(log: Logger, now: () => number): Interceptor {
  return async function trace(call, next) {
    try {
      return await next(call)
    } catch (error) {
      log.info({ ...factsOf(call), error: messageOf(error) }, 'call failed')
      throw error
    } finally {
      const ms = now() - call.startedAt
      if (ms > SLOW_MS) log.warn({ ...factsOf(call), ms }, 'slow call')
      else log.debug({ ...factsOf(call), ms }, 'call finished')
    }
  }
}

function factsOf({ traceId, requestId, name, notes }: RoutedCall): LogFields {
  return { traceId, request_id: requestId, name, server: notes.server }
}
