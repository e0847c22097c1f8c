import { AppError, messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { isToolError, type Call, type CallResult, type Observer } from './call.ts'
import type { Execution, ExecutionStore } from './executions.ts'

/** Rows are written together: one by one they would cost ten times as much. */
const FLUSH_MS = 100
const BATCH_ROWS = 500
/** A writer that falls behind makes callers wait here rather than lose rows. */
const QUEUE_ROWS_MAX = 10_000
const RETRY_MS = 1000
const MESSAGE_CHARS_MAX = 1000

/** The history of calls, written behind the calls. */
export interface History extends AsyncDisposable {
  /** Every call leaves one row, whatever became of it. A writer that falls behind slows its callers; nothing is dropped. */
  readonly ended: Observer
  /** Resolves when what was recorded so far is stored. */
  flush(): Promise<void>
}

export interface HistoryDeps {
  readonly store: ExecutionStore
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

export function createHistory({ store, log, now }: HistoryDeps): History {
  let rows: Execution[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let isStopping = false

  const write = async (): Promise<void> => {
    while (rows.length > 0) {
      const batch = rows.slice(0, BATCH_ROWS)
      try {
        await store.append(batch)
        rows = rows.slice(batch.length)
      } catch (error) {
        log.error({ error: messageOf(error), rows: rows.length }, 'history could not be written')
        if (isStopping) break
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
    // In the same breath as the last look at the rows: one that comes now finds no writer and calls a new one.
    writing = undefined
  }
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    if (rows.length > 0) writing ??= write()
    return writing ?? Promise.resolve()
  }
  const record = (row: Execution): Promise<void> | undefined => {
    rows.push(row)
    if (rows.length >= QUEUE_ROWS_MAX) return flush()
    if (rows.length >= BATCH_ROWS) void flush()
    else timer ??= setTimeout(() => void flush(), FLUSH_MS)
    return undefined
  }
  return {
    ended: (call, outcome) =>
      record(outcome instanceof AppError ? failureRow(call, outcome, now()) : successRow(call, outcome, now())),
    flush,
    async [Symbol.asyncDispose]() {
      isStopping = true
      await flush()
    },
  }
}

interface Ending {
  readonly now: number
  readonly outcome: Execution['outcome']
  readonly isError: boolean
  readonly resultBytes: number
}

function rowOf(call: Call, { now, outcome, isError, resultBytes }: Ending): Execution {
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
    stages: call.notes.stages,
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
