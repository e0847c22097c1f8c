import { AppError, toAppError } from '#kernel/errors'
import type { Catalog } from '#registry/registry-api'
import type { Call, CallKind, CallResult, Dispatch, Interceptor, RoutedCall } from './call.ts'
import type { Gateway } from './gateway.ts'
import type { History } from './history.ts'
import { route } from './route.ts'

/** One row of the call path: a link, and which calls pass it. */
export interface Link {
  readonly name: string
  readonly kinds: readonly CallKind[]
  readonly run: Interceptor
}

/** The links of the path, made by their own files. */
export interface Links {
  readonly trace: Interceptor
  readonly history: Interceptor
  readonly validateArguments: Interceptor
  readonly guards: Interceptor
  readonly limitConcurrency: Interceptor
  readonly timeout: Interceptor
}

const ALL: readonly CallKind[] = ['tool', 'prompt', 'resource', 'completion']
const TOOLS: readonly CallKind[] = ['tool']

/** Everything that happens to a call, in order. `docs/architecture/call-path.md` says why in this order. */
export function callPath(links: Links): readonly Link[] {
  return [
    { name: 'trace', kinds: ALL, run: links.trace },
    { name: 'history', kinds: ALL, run: links.history },
    { name: 'validate-arguments', kinds: TOOLS, run: links.validateArguments },
    { name: 'guards', kinds: TOOLS, run: links.guards },
    { name: 'limit-concurrency', kinds: ALL, run: links.limitConcurrency },
    { name: 'timeout', kinds: ALL, run: links.timeout },
  ]
}

const STOPPING = new AppError('unavailable', 'The gateway is stopping')

export interface GatewayDeps {
  readonly catalog: Catalog
  readonly path: readonly Link[]
  readonly dispatch: Dispatch
  readonly history: History
}

export function createGateway({ catalog, path, dispatch, history }: GatewayDeps): Gateway {
  const run = Object.fromEntries(ALL.map((kind) => [kind, fold(path, kind, dispatch)])) as Record<CallKind, Dispatch>
  let running = 0
  let isDraining = false
  const idle = Promise.withResolvers<void>()
  return {
    async run(call) {
      running += 1
      try {
        const routed = isDraining ? STOPPING : tryRoute(catalog, call)
        if (routed instanceof AppError) return await refuse(call, routed, history)
        return await run[call.kind](routed)
      } finally {
        running -= 1
        if (isDraining && running === 0) idle.resolve()
      }
    },
    get running() {
      return running
    },
    drain() {
      isDraining = true
      if (running === 0) idle.resolve()
      return idle.promise
    },
  }
}

/** The links of one kind of call around its dispatch. Each notes when the call came to it. */
function fold(path: readonly Link[], kind: CallKind, dispatch: Dispatch): Dispatch {
  const last: Dispatch = (call) => {
    note(call, 'dispatch')
    return dispatch(call)
  }
  return path
    .filter((link) => link.kinds.includes(kind))
    .reduceRight<Dispatch>((next, { name, run }) => {
      return function link(call: RoutedCall): Promise<CallResult> {
        note(call, name)
        return run(call, next)
      }
    }, last)
}

function note({ notes, startedAt }: Call, stage: string): void {
  notes.stages.push(stage, Date.now() - startedAt)
}

/** The same call with its target: not a copy, because every call would pay for it. */
function tryRoute(catalog: Catalog, call: Call): RoutedCall | AppError {
  try {
    const target = route(catalog, call)
    call.target = target
    call.notes.server = target.server
    return call as RoutedCall
  } catch (error) {
    return toAppError(error)
  }
}

/** A call that leads nowhere is a call, too: the history keeps it. */
async function refuse(call: Call, error: AppError, history: History): Promise<never> {
  const full = history.failed(call, error)
  if (full) await full
  throw error
}
