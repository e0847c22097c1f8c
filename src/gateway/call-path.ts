import { AppError, toAppError } from '#kernel/errors'
import { Roster } from '#kernel/roster'
import { endingWith, type Tracer } from '#kernel/span'
import type { Call, CallKind, CallResult, Dispatch, Interceptor, Observer, RoutedCall, Target } from './call.ts'
import type { Gateway } from './gateway.ts'
import { route } from './route.ts'
import type { VisibleViews } from './visible-views.ts'

/** One row of the call path and the calls it is for: a link around what is below it, or an observer of what came out. */
export type Row = Link | Observation

interface Link {
  readonly name: string
  readonly kinds: readonly CallKind[]
  /** Absent where the operator wants none of it. */
  readonly run: Interceptor | undefined
  /** Other calls go by without a trace of it; absent where it is for all. */
  appliesTo?(target: Target): boolean
}

interface Observation {
  readonly name: string
  readonly kinds: readonly CallKind[]
  readonly ended: Observer
}

/** The parts of the path, made by their own files. */
export interface Links {
  readonly trace: Observer
  readonly count: Observer
  readonly history: Observer
  readonly audit: Observer
  readonly learn: Observer
  readonly admitAudit: Interceptor | undefined
  readonly fallback: Interceptor
  readonly validateArguments: Interceptor
  readonly guards: Interceptor
  /** Whether there are any now. */
  readonly hasGuards: () => boolean
  readonly cache: Interceptor | undefined
  readonly limitConcurrency: Interceptor
  readonly retry: Interceptor
  readonly breaker: Interceptor
  readonly timeout: Interceptor
}

const ALL: readonly CallKind[] = ['tool', 'prompt', 'resource', 'completion']
const TOOLS: readonly CallKind[] = ['tool']

/** Everything that happens to a call, in order. `docs/architecture/call-path.md` says why in this order. */
export function callPath(links: Links): readonly Row[] {
  return [
    { name: 'trace', kinds: ALL, ended: links.trace },
    { name: 'count', kinds: ALL, ended: links.count },
    { name: 'history', kinds: ALL, ended: links.history },
    { name: 'audit', kinds: ALL, ended: links.audit },
    { name: 'learn', kinds: TOOLS, ended: links.learn },
    { name: 'admit-audit', kinds: ALL, run: links.admitAudit },
    { name: 'fallback', kinds: TOOLS, run: links.fallback, appliesTo: ({ tool }) => tool?.fallback !== undefined },
    { name: 'validate-arguments', kinds: TOOLS, run: links.validateArguments },
    { name: 'guards', kinds: TOOLS, run: links.guards, appliesTo: links.hasGuards },
    { name: 'cache', kinds: TOOLS, run: links.cache, appliesTo: ({ cache }) => cache !== undefined },
    { name: 'limit-concurrency', kinds: ALL, run: links.limitConcurrency },
    { name: 'retry', kinds: ALL, run: links.retry },
    { name: 'breaker', kinds: ALL, run: links.breaker },
    { name: 'timeout', kinds: ALL, run: links.timeout },
  ]
}

const STOPPING = new AppError('unavailable', 'The gateway is stopping')

export interface GatewayDeps {
  readonly views: VisibleViews
  readonly path: readonly Row[]
  readonly dispatch: Dispatch
  /** Absent where no call is traced. */
  readonly tracer?: Tracer | undefined
}

export function createGateway({ views, path, dispatch, tracer }: GatewayDeps): Gateway {
  const enter = byKind((kind) => fold(path, kind, dispatch))
  const observers = byKind((kind) => observersOf(path, kind))
  const running = new Roster<Call>()
  let isDraining = false
  const idle = Promise.withResolvers<void>()
  const tell = async (call: Call, outcome: CallResult | AppError): Promise<void> => {
    for (const ended of observers[call.kind]) await ended(call, outcome)
  }
  return {
    async run(call) {
      running.add(call)
      const span = tracer?.begin(call)
      call.span = span
      try {
        if (isDraining) throw STOPPING
        const result = await enter[call.kind](routed(views, call))
        for (const ended of observers[call.kind]) {
          // Nearly never anything to wait for.
          const busy = ended(call, result)
          if (busy) await busy
        }
        span?.end()
        return result
      } catch (error) {
        const failure = toAppError(error)
        await tell(call, failure)
        span?.end(failure)
        throw error
      } finally {
        running.delete(call)
        if (isDraining && running.size === 0) idle.resolve()
      }
    },
    get running() {
      return running.size
    },
    drain() {
      isDraining = true
      if (running.size === 0) idle.resolve()
      return idle.promise
    },
    giveUp() {
      for (const { signal } of running.all()) signal.abort(STOPPING)
    },
  }
}

function byKind<T>(make: (kind: CallKind) => T): Record<CallKind, T> {
  return Object.fromEntries(ALL.map((kind) => [kind, make(kind)])) as Record<CallKind, T>
}

function observersOf(path: readonly Row[], kind: CallKind): readonly Observer[] {
  return path.flatMap((row) => ('ended' in row && row.kinds.includes(kind) ? [row.ended] : []))
}

/** The links of one kind of call around its dispatch. Each notes when the call came to it. */
function fold(path: readonly Row[], kind: CallKind, dispatch: Dispatch): Dispatch {
  const last: Dispatch = (call) => {
    note(call, 'dispatch')
    call.notes.attempts += 1
    return dispatch(call)
  }
  return path
    .filter((row): row is Link => 'run' in row && row.kinds.includes(kind))
    .reduceRight<Dispatch>((next, { name, run, appliesTo }) => {
      if (!run) return next
      const link = linkOf(name, run, next)
      return appliesTo ? (call) => (appliesTo(call.target) ? link : next)(call) : link
    }, last)
}

function linkOf(name: string, run: Interceptor, next: Dispatch): Dispatch {
  return function link(call: RoutedCall): Promise<CallResult> {
    note(call, name)
    return call.span ? traced(call, name, (inner) => run(inner, next)) : run(call, next)
  }
}

/** A link of a traced call has a span of its own, and what is below it is part of that. */
function traced(call: RoutedCall, name: string, run: Dispatch): Promise<CallResult> {
  const span = call.span?.child(name, 'internal')
  return span ? endingWith(span, run({ ...call, span })) : run(call)
}

function note({ notes, startedAt }: Call, stage: string): void {
  notes.stages.push(stage, Date.now() - startedAt)
}

/** The same call with its target: not a copy, because every call would pay for it. */
function routed(views: VisibleViews, call: Call): RoutedCall {
  const target = route(views, call)
  call.target = target
  call.notes.server = target.server
  return call as RoutedCall
}
