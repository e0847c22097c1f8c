import { createBatchWriter } from '#kernel/batch-writer'
import { AppError, messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { isToolError, type Call, type CallResult, type Observer } from './call.ts'
import type { Execution, ExecutionStore } from './executions.ts'
import type { PayloadsOf } from './payloads.ts'

const MESSAGE_CHARS_MAX = 1000
/** Of up to 32 kB each: what may wait in memory has a bound. */
const ROWS_WITH_PAYLOADS_MAX = 1000

/** The history of calls, written behind the calls. */
export interface History extends AsyncDisposable {
  /** Every call leaves one row, whatever became of it. A writer that falls behind slows its callers; nothing is dropped. */
  readonly ended: Observer
  /** Rows that are not stored yet. */
  readonly waiting: number
  /** Resolves when what was recorded so far is stored. */
  flush(): Promise<void>
}

export interface HistoryDeps {
  readonly store: ExecutionStore
  readonly log: Logger
  /** Absent where nothing of them is kept. */
  readonly payloadsOf?: PayloadsOf | undefined
  /** Epoch milliseconds. */
  now(): number
}

export function createHistory({ store, log, payloadsOf, now }: HistoryDeps): History {
  const writer = createBatchWriter<Execution>({
    append: (rows) => store.append(rows),
    ...(payloadsOf && { queueRowsMax: ROWS_WITH_PAYLOADS_MAX }),
    failed: (error, rows) => log.error({ error: messageOf(error), rows }, 'history could not be written'),
  })
  return {
    ended(call, outcome) {
      const row = outcome instanceof AppError ? failureRow(call, outcome, now()) : successRow(call, outcome, now())
      const payloads = payloadsOf?.(call, outcome)
      return writer.add(payloads ? { ...row, payloads } : row)
    },
    get waiting() {
      return writer.waiting
    },
    flush: writer.flush,
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  }
}

interface Ending {
  readonly now: number
  readonly outcome: Execution['outcome']
  readonly isError: boolean
  readonly resultBytes: number
}

function rowOf(call: Call, { now, outcome, isError, resultBytes }: Ending): Execution {
  const { cached } = call.notes
  return {
    id: call.id,
    traceId: call.traceId,
    kind: call.kind,
    name: call.name,
    server: call.notes.server,
    principal: call.principal.id,
    surface: call.surface,
    namespace: call.namespace,
    outcome,
    isError,
    startedAt: call.startedAt,
    durationMs: now - call.startedAt,
    requestBytes: call.paramsText.length,
    resultBytes,
    attempts: call.notes.attempts === 1 ? undefined : call.notes.attempts,
    fallback: call.notes.fallback,
    stages: call.notes.stages,
    cached: cached && (cached.isStale ? 'stale' : 'fresh'),
  }
}

function successRow(call: Call, result: CallResult, now: number): Execution {
  const isError = isToolError(result)
  return rowOf(call, { now, outcome: isError ? 'error' : 'success', isError, resultBytes: result.text.length })
}

function failureRow(call: Call, error: AppError, now: number): Execution {
  const errorMessage = error.message.slice(0, MESSAGE_CHARS_MAX)
  return {
    ...rowOf(call, { now, outcome: 'error', isError: false, resultBytes: 0 }),
    errorCode: error.code,
    errorMessage,
  }
}
