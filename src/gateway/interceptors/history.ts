import type { Interceptor } from '../call.ts'
import type { History } from '../history.ts'

/** Every call leaves one row, whatever became of it. A writer that falls behind slows its callers; nothing is dropped. */
export function createHistoryLink(history: History): Interceptor {
  return async function recordHistory(call, next) {
    try {
      const result = await next(call)
      const full = history.succeeded(call, result)
      if (full) await full
      return result
    } catch (error) {
      const full = history.failed(call, error)
      if (full) await full
      throw error
    }
  }
}
