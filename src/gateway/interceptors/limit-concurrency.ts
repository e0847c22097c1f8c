import { createBulkhead, type Bulkhead, type Place } from '#resilience/bulkhead'
import type { Interceptor, RoutedCall, Target } from '../call.ts'

const QUEUE_MAX = 1000
const WAIT_MS_MAX = 30_000
/** Beyond this many the idle ones are forgotten: servers come and go. */
const BULKHEADS_MAX = 1000

/** An upstream, or one HTTP tool, has so many calls at once; the next wait in a bounded queue of its own. */
export function createLimitConcurrency(): Interceptor {
  const bulkheads = new Map<string, Bulkhead>()
  const bulkheadOf = (target: Target): Bulkhead => {
    const { maxConcurrency: limit, timeoutMs, server: name } = target
    const key = `${keyOf(target)} ${limit} ${timeoutMs}`
    const known = bulkheads.get(key)
    if (known) return known
    if (bulkheads.size >= BULKHEADS_MAX) forgetIdle(bulkheads)
    const limits = { limit, queueMax: QUEUE_MAX, waitMsMax: Math.min(WAIT_MS_MAX, timeoutMs), name }
    const bulkhead = createBulkhead(limits)
    bulkheads.set(key, bulkhead)
    return bulkhead
  }
  return function limitConcurrency(call, next) {
    return bulkheadOf(call.target).run((place) => next(lending(call, place)), call.signal)
  }
}

/** A person who thinks about a question must not keep others from the server. */
function lending(call: RoutedCall, place: Place): RoutedCall {
  const { caller } = call
  const { ask } = caller
  return ask ? { ...call, caller: { ...caller, ask: (question) => place.lend(() => ask(question)) } } : call
}

function forgetIdle(bulkheads: Map<string, Bulkhead>): void {
  for (const [key, { running, waiting }] of bulkheads) if (running + waiting === 0) bulkheads.delete(key)
}

function keyOf({ upstreamId, originalName, tool }: Target): string {
  return tool?.kind === 'http' ? `${upstreamId}/${originalName}` : upstreamId
}
