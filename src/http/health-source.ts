/** What health endpoints ask. */
export interface HealthSource {
  readonly version: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** True once the gateway stops taking new work. */
  isDraining(): boolean
  /** Sessions of clients that are open now. */
  sessions(): number
  /** Rejects while the storage cannot be used. */
  checkStorage(): Promise<void>
  /** What is left on the disk that the data directory is on. */
  freeSpace(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>
  /** What the call path is busy with. */
  readonly workload: {
    readonly running: number
    queues(): readonly { readonly server: string; readonly waiting: number }[]
    /** Rows of the history that are not written yet. */
    unwritten(): number
  }
  /** How long the history is kept, and how its pruning is. */
  history(): {
    /** 0 for ever. */
    readonly days: number
    /** Since the start. */
    readonly removed: number
    readonly failure: string | undefined
  }
  /** Whether Redis is there; absent where none is configured. */
  redisIsUp?(): boolean
}
