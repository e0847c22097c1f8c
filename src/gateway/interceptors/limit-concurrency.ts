import { createBulkhead, type Bulkhead } from '#resilience/bulkhead'
import type { Interceptor, Target } from '../call.ts'

const QUEUE_MAX = 1000
const WAIT_MS_MAX = 30_000

/** An upstream, or one HTTP tool, has so many calls at once; the next wait in a bounded queue of its own. */
export function createLimitConcurrency(): Interceptor {
  const bulkheads = new Map<string, Bulkhead>()
  const bulkheadOf = (target: Target): Bulkhead => {
    const key = `${keyOf(target)} ${target.maxConcurrency}`
    const known = bulkheads.get(key)
    if (known) return known
    const limits = { limit: target.maxConcurrency, queueMax: QUEUE_MAX, waitMsMax: WAIT_MS_MAX, name: target.server }
    const bulkhead = createBulkhead(limits)
    bulkheads.set(key, bulkhead)
    return bulkhead
  }
  return function limitConcurrency(call, next) {
    return bulkheadOf(call.target).run(() => next(call), call.signal)
  }
}

function keyOf({ upstreamId, originalName, tool }: Target): string {
  return tool?.kind === 'http' ? `${upstreamId}/${originalName}` : upstreamId
}
