import { createBulkhead, type Bulkhead, type Place } from '#resilience/bulkhead'
import type { Interceptor, RoutedCall, Target } from '../call.ts'

const QUEUE_MAX = 1000
const WAIT_MS_MAX = 30_000
/** Beyond this many the idle ones are forgotten: servers come and go. */
const BULKHEADS_MAX = 1000

/** An upstream, or one HTTP tool, has so many calls at once; the next wait in a bounded queue of its own. */
export function createLimitConcurrency(): Interceptor {
  const bulkheads = new Map<string, Bulkhead>()
  let byTarget = new WeakMap<Target, Bulkhead>()
  const bulkheadOf = (target: Target): Bulkhead => {
    const known = byTarget.get(target)
    if (known) return known
    if (bulkheads.size >= BULKHEADS_MAX) {
      forgetIdle(bulkheads)
      byTarget = new WeakMap()
    }
    const key = `${keyOf(target)} ${target.maxConcurrency} ${target.timeoutMs}`
    const bulkhead = bulkheads.get(key) ?? bulkheadFor(target)
    bulkheads.set(key, bulkhead)
    byTarget.set(target, bulkhead)
    return bulkhead
  }
  return function limitConcurrency(call, next) {
    return bulkheadOf(call.target).run((place) => next(lending(call, place)), call.signal)
  }
}

function bulkheadFor({ maxConcurrency: limit, timeoutMs, server: name }: Target): Bulkhead {
  return createBulkhead({ limit, queueMax: QUEUE_MAX, waitMsMax: Math.min(WAIT_MS_MAX, timeoutMs), name })
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
