import { createBatchWriter } from '#kernel/batch-writer'
import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { SearchRecord, SearchStore } from './searches.ts'

/** A query may have 10,000 characters: the queue then holds 20 MB. */
const QUEUE_ROWS_MAX = 2_000

/** The history of searches, written behind the searches. */
export interface SearchHistory extends AsyncDisposable {
  /** A promise only when the writer has fallen far behind: then the caller waits for it. Nothing is dropped. */
  record(search: SearchRecord): Promise<void> | undefined
  /** Resolves when what was recorded so far is stored. */
  flush(): Promise<void>
}

export interface SearchHistoryDeps {
  readonly store: Pick<SearchStore, 'append'>
  readonly log: Logger
}

export function createSearchHistory({ store, log }: SearchHistoryDeps): SearchHistory {
  const writer = createBatchWriter<SearchRecord>({
    append: (searches) => store.append(searches),
    failed: (error, rows) => log.error({ error: messageOf(error), rows }, 'searches could not be written'),
    queueRowsMax: QUEUE_ROWS_MAX,
  })
  return {
    record: writer.add,
    flush: writer.flush,
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  }
}
