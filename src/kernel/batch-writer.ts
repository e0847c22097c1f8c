/** Rows are written together: one by one they would cost ten times as much. */
const FLUSH_MS = 100
const BATCH_ROWS = 1000
/** A writer that falls behind makes callers wait here rather than lose rows. */
const QUEUE_ROWS_MAX = 10_000
const RETRY_MS = 1000

/** Writes rows in batches, in their order, a moment behind those who add them. */
export interface BatchWriter<T> extends AsyncDisposable {
  /** A promise only when the queue is full: then the caller waits until it is written. Nothing is dropped. */
  add(row: T): Promise<void> | undefined
  /** Rows that are not written yet. */
  readonly waiting: number
  /** Resolves when what was added so far is written. */
  flush(): Promise<void>
}

export interface BatchWriterDeps<T> {
  /** Keeps all rows or, when it rejects, none; then it is asked again until it succeeds. */
  append(rows: readonly T[]): Promise<void>
  /** Told of each failure of `append`, with the number of rows that wait. */
  failed(error: unknown, waiting: number): void
  /** How many rows may wait; fewer than the usual 10,000 where rows are large. */
  readonly queueRowsMax?: number
}

export function createBatchWriter<T>(deps: BatchWriterDeps<T>): BatchWriter<T> {
  const { append, failed, queueRowsMax = QUEUE_ROWS_MAX } = deps
  let rows: T[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let isStopping = false

  const write = async (): Promise<void> => {
    while (rows.length > 0) {
      const batch = rows.slice(0, BATCH_ROWS)
      try {
        await append(batch)
        rows = rows.slice(batch.length)
      } catch (error) {
        failed(error, rows.length)
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
  return {
    add(row) {
      rows.push(row)
      if (rows.length >= queueRowsMax) return flush()
      if (rows.length >= BATCH_ROWS) void flush()
      else timer ??= setTimeout(() => void flush(), FLUSH_MS)
      return undefined
    },
    get waiting() {
      return rows.length
    },
    flush,
    async [Symbol.asyncDispose]() {
      isStopping = true
      await flush()
    },
  }
}
