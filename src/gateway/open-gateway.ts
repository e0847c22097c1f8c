import { AppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Tracer } from '#kernel/span'
import { createArgumentSchemas } from './argument-schemas.ts'
import { isToolError, type Call, type Dispatch } from './call.ts'
import { createCallMeter, type CallMeter } from './call-meter.ts'
import { callPath, createGateway } from './call-path.ts'
import type { ExecutionStore } from './executions.ts'
import type { Gateway } from './gateway.ts'
import { createHistory } from './history.ts'
import { createGuards, type Guard } from './interceptors/guards.ts'
import { createLimitConcurrency, type LimitConcurrency } from './interceptors/limit-concurrency.ts'
import { createTimeout } from './interceptors/timeout.ts'
import { createValidateArguments } from './interceptors/validate-arguments.ts'
import { loadGuards, type GuardEntry } from './load-guards.ts'
import { createTrace } from './trace.ts'
import type { VisibleViews } from './visible-views.ts'

export interface OpenGatewayDeps {
  readonly views: VisibleViews
  readonly executions: ExecutionStore
  readonly dispatch: Dispatch
  /** Hears of the calls of tools that did not fail. */
  succeeded(call: Call): void
  /** Absent where no call is traced. */
  readonly tracer?: Tracer | undefined
  readonly log: Logger
  readonly slowCallMs: number
  /** Epoch milliseconds. */
  now(): number
}

/** What the gateway has counted, and what it is busy with. */
export interface Workload {
  /** Calls that run now. */
  readonly running: number
  /** Since the start, by server. */
  counts: CallMeter['report']
  queues: LimitConcurrency['queues']
  /** Rows of the history that are not written yet. */
  unwritten(): number
}

/** The gateway with its links and their state. */
export interface OpenGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly workload: Workload
  /** Puts other rules in force. Rejects with `validation_error`, and the old ones stay, when one cannot be loaded. */
  useGuards(entries: readonly GuardEntry[]): Promise<void>
}

/** Builds the parts that exist; `callPath` puts them in order. */
export function openGateway(deps: OpenGatewayDeps): OpenGateway {
  const { views, executions, dispatch, log, now } = deps
  const history = createHistory({ store: executions, log, now })
  const schemas = createArgumentSchemas((error) => log.debug({ error }, 'input schema cannot be compiled'))
  const meter = createCallMeter(now)
  const limitConcurrency = createLimitConcurrency()
  let guards: readonly Guard[] = []
  const path = callPath({
    trace: createTrace({ log, slowMs: deps.slowCallMs, now }),
    count: meter.ended,
    history: history.ended,
    learn(call, outcome) {
      if (!(outcome instanceof AppError) && !isToolError(outcome)) deps.succeeded(call)
    },
    validateArguments: createValidateArguments(schemas),
    guards: createGuards(() => guards),
    limitConcurrency: limitConcurrency.run,
    timeout: createTimeout(now),
  })
  const gateway = createGateway({ views, path, dispatch, tracer: deps.tracer })
  return {
    gateway,
    workload: {
      get running() {
        return gateway.running
      },
      counts: meter.report,
      queues: limitConcurrency.queues,
      unwritten: () => history.waiting,
    },
    async useGuards(entries) {
      guards = await loadGuards(entries)
    },
    [Symbol.asyncDispose]: () => history[Symbol.asyncDispose](),
  }
}
