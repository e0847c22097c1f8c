import { editObject } from '#kernel/json-text'
import type { Found } from '#resilience/cache'
import type { Flight } from '#resilience/flight'
import type { Caller, CallResult, Dispatch, Interceptor, RoutedCall, TargetCache } from '../call.ts'
import { givenAgain, keepOf, type KeptResult, type ResultCache } from '../result-cache.ts'
import { resultKey } from '../result-key.ts'
import { judgeResult } from './breaker.ts'
import { serverFailure } from './fallback.ts'

type ResultFlight = Flight<Found<KeptResult>, RoutedCall>

/** Answers a call by what the same call was answered before, where that is allowed; equal calls at one time are one upstream. */
export function createCacheLink({ cache }: ResultCache, ttlMsDefault: number): Interceptor {
  return function cached(call, next) {
    const rules = call.target.cache
    return rules ? through(rules, call, next) : next(call)
  }

  async function through(rules: TargetCache, call: RoutedCall, next: Dispatch): Promise<CallResult> {
    const key = resultKey(call, rules)
    if (key === undefined) return next(call)
    try {
      const found = await cache.through(key, {
        waiter: call,
        signal: call.signal,
        load: (flight) => (flight.isBackground ? next(quietly(call, flight)) : together(call, flight, next)),
        keep: (result) => keepOf(result, rules, ttlMsDefault),
      })
      const result = found.from === 'load' ? (found.value as CallResult) : givenAgain(found, call)
      return judgeResult(result) === 'failure' ? (spare(key, call) ?? result) : result
    } catch (error) {
      const result = serverFailure(error) && spare(key, call)
      if (!result) throw error
      return result
    }
  }

  /** What the server answered when it still could. */
  function spare(key: string, call: RoutedCall): CallResult | undefined {
    const found = call.signal.aborted ? undefined : cache.peek(key)
    return found && givenAgain(found, call)
  }
}

/** For all who wait; what only one of them may answer or be given is his alone. */
async function together(call: RoutedCall, flight: ResultFlight, next: Dispatch): Promise<CallResult> {
  const result = await next({ ...call, caller: callerOf(call, flight), signal: flight.signal })
  if (result.value['resultType'] === 'input_required') flight.isolate(call)
  return result
}

/** The first caller is the one that is asked; what is told is told to all. */
function callerOf(call: RoutedCall, flight: ResultFlight): Caller {
  const { caller } = call
  const { notify, ask } = caller
  return {
    ...caller,
    ...(notify && {
      notify: (method, paramsText) => flight.waiting().forEach((each) => tell(each, method, paramsText)),
    }),
    lacks(method) {
      flight.isolate(call)
      caller.lacks?.(method)
    },
    ask:
      ask &&
      ((question) => {
        flight.isolate(call)
        return ask(question)
      }),
  }
}

function tell({ caller }: RoutedCall, method: string, paramsText: string): void {
  const { notify, progressTokenText } = caller
  if (method !== 'notifications/progress') notify?.(method, paramsText)
  else if (progressTokenText !== undefined)
    notify?.(method, editObject(paramsText, { progressToken: progressTokenText }))
}

/** Nobody waits for it, is told of it or can be asked. */
function quietly(call: RoutedCall, { signal }: ResultFlight): RoutedCall {
  const caller: Caller = { sessionKey: 'cache', profile: { capabilities: {} } }
  return { ...call, caller, signal, span: undefined, notes: { ...call.notes, stages: [] } }
}
