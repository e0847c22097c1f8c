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
  /** Whether Redis is there; absent where none is configured. */
  redisIsUp?(): boolean
}
