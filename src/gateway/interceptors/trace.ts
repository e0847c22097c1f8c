import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Interceptor } from '../call.ts'

/** A call that takes longer than this is said to be slow. */
const SLOW_MS = 5000

/** One log line a call, with the trace id that the upstream was given too. */
export function createTrace(log: Logger, now: () => number): Interceptor {
  return async function trace(call, next) {
    const { traceId, requestId, name, notes } = call
    const facts = { traceId, ...(requestId === undefined ? {} : { request_id: requestId }), name, server: notes.server }
    try {
      return await next(call)
    } catch (error) {
      log.info({ ...facts, error: messageOf(error) }, 'call failed')
      throw error
    } finally {
      const ms = now() - call.startedAt
      if (ms > SLOW_MS) log.warn({ ...facts, ms }, 'slow call')
      else log.debug({ ...facts, ms }, 'call finished')
    }
  }
}
