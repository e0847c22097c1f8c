import { createBulkhead, type Bulkhead, type Place } from '#resilience/bulkhead'
import type { Interceptor, RoutedCall, Target } from '../call.ts'
import { createPerTarget, wayOf } from '../per-target.ts'

const QUEUE_MAX = 1000
const WAIT_MS_MAX = 30_000

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
  const gates = createPerTarget<Gate>({
    keyOf: (target) => `${wayOf(target)} ${target.maxConcurrency}`,
    make: (target) => ({ server: target.server, bulkhead: bulkheadFor(target) }),
    isIdle: ({ bulkhead }) => bulkhead.running + bulkhead.waiting === 0,
  })
  return {
    run: function limitConcurrency(call, next) {
      const { target, signal } = call
      return gates.of(target).bulkhead.run((place) => next(lending(call, place)), signal, target.timeoutMs)
    },
    queues: () => queuesOf(gates.all.values()),
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

function bulkheadFor({ maxConcurrency: limit, server: name }: Target): Bulkhead {
  return createBulkhead({ limit, queueMax: QUEUE_MAX, waitMsMax: WAIT_MS_MAX, name })
}

/** A person who thinks about a question must not keep others from the server. */
function lending(call: RoutedCall, place: Place): RoutedCall {
  const { caller } = call
  const { ask } = caller
  return ask ? { ...call, caller: { ...caller, ask: (question) => place.lend(() => ask(question)) } } : call
}
