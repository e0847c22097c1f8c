import { createBulkhead, type Bulkhead, type Place } from '#resilience/bulkhead'
import type { Interceptor, RoutedCall, Target } from '../call.ts'

const QUEUE_MAX = 1000
const WAIT_MS_MAX = 30_000
/** Beyond this many the idle ones are forgotten: servers come and go. */
const GATES_MAX = 1000

/** How many calls a server has now. */
interface Queue {
  readonly server: string
  readonly running: number
  readonly waiting: number
}

export interface LimitConcurrency {
  readonly run: Interceptor
  /** Of the servers that have been called. */
  queues(): Queue[]
}

interface Gate {
  readonly server: string
  readonly bulkhead: Bulkhead
}

/** An upstream, or one HTTP tool, has so many calls at once; the next wait in a bounded queue of its own. */
export function createLimitConcurrency(): LimitConcurrency {
  const gates = new Map<string, Gate>()
  let byTarget = new WeakMap<Target, Bulkhead>()
  const open = (key: string, target: Target): Gate => {
    const gate = { server: target.server, bulkhead: bulkheadFor(target) }
    gates.set(key, gate)
    return gate
  }
  const bulkheadOf = (target: Target): Bulkhead => {
    const known = byTarget.get(target)
    if (known) return known
    if (gates.size >= GATES_MAX) {
      forgetIdle(gates)
      byTarget = new WeakMap()
    }
    const key = `${keyOf(target)} ${target.maxConcurrency} ${target.timeoutMs}`
    const { bulkhead } = gates.get(key) ?? open(key, target)
    byTarget.set(target, bulkhead)
    return bulkhead
  }
  return {
    run: function limitConcurrency(call, next) {
      return bulkheadOf(call.target).run((place) => next(lending(call, place)), call.signal)
    },
    queues: () => queuesOf(gates.values()),
  }
}

/** HTTP tools have a gate each, and one server has two while its limits change: summed up by server. */
function queuesOf(gates: Iterable<Gate>): Queue[] {
  const queues = new Map<string, Queue>()
  for (const { server, bulkhead } of gates) {
    const { running, waiting } = queues.get(server) ?? { running: 0, waiting: 0 }
    queues.set(server, { server, running: running + bulkhead.running, waiting: waiting + bulkhead.waiting })
  }
  return [...queues.values()]
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

function forgetIdle(gates: Map<string, Gate>): void {
  for (const [key, { bulkhead }] of gates) if (bulkhead.running + bulkhead.waiting === 0) gates.delete(key)
}

function keyOf({ upstreamId, originalName, tool }: Target): string {
  return tool?.kind === 'http' ? `${upstreamId}/${originalName}` : upstreamId
}
