/** JSON without what is secret. */
export interface Payload {
  readonly text: string
  /** The text is only its beginning, or empty for one that was too long to look through. */
  readonly isCut: boolean
}

/** What a call carried, as far as an operator wants that to be kept. */
export interface Payloads {
  readonly arguments?: Payload
  readonly result?: Payload
}

/** One call as the history keeps it, failures and refusals included. */
export interface Execution {
  /** UUIDv7: sorts by start. */
  readonly id: string
  readonly traceId: string
  /** `tool`, `resource`, `prompt` or `completion`. */
  readonly kind: string
  /** Exposed name or URI. */
  readonly name: string
  /** Name of the upstream; empty when the call found none. */
  readonly server: string
  readonly principal: string
  readonly surface: string
  readonly namespace?: string | undefined
  readonly outcome: 'success' | 'error'
  /** Whether the tool itself reported the failure. */
  readonly isError: boolean
  /** Code of the catalogue when the call failed outside the tool. */
  readonly errorCode?: string
  readonly errorMessage?: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly durationMs: number
  readonly requestBytes: number
  readonly resultBytes: number
  /** How often it was handed to its upstream; absent means once. */
  readonly attempts?: number | undefined
  /** The tool that was called instead. */
  readonly fallback?: string | undefined
  /** The answer was got for another call; `stale` when its time was over. */
  readonly cached?: 'fresh' | 'stale' | undefined
  /** The links that the call passed, each followed by the milliseconds since its start. */
  readonly stages: readonly (string | number)[]
  /** Only of one that is asked for by its id. */
  readonly payloads?: Payloads
}

export interface ExecutionFilter {
  readonly name?: string
  readonly server?: string
  readonly principal?: string
  readonly outcome?: 'success' | 'error'
  /** Epoch milliseconds, inclusive and exclusive. */
  readonly from?: number
  readonly to?: number
  readonly limit: number
  readonly offset: number
}

/** Whose calls: a tool by its exposed name, a server by its name. */
export interface StatsFilter {
  readonly tool?: string
  readonly server?: string
  /** Epoch milliseconds; the whole day that this is in counts, UTC. */
  readonly from?: number
}

/**
 * Counts and times of calls that found a server, also of those that the history no longer has. Durations in milliseconds,
 * percentiles less than a tenth off, undefined without calls.
 */
export interface ExecutionStats {
  readonly calls: number
  readonly successes: number
  readonly errors: number
  readonly averageMs?: number
  readonly p50Ms?: number
  readonly p95Ms?: number
  readonly p99Ms?: number
  /** Epoch milliseconds. */
  readonly lastCalledAt?: number
}

/** The durable history of calls. */
export interface ExecutionStore {
  /** Adds all of them, and counts those that are new, or, when it rejects, none. */
  append(executions: readonly Execution[]): Promise<void>
  /** Newest first, with the number of all that match. */
  list(filter: ExecutionFilter): Promise<{ readonly executions: Execution[]; readonly total: number }>
  get(id: string): Promise<Execution | undefined>
  stats(filter: StatsFilter): Promise<ExecutionStats>
  /** Removes what started before `before` (epoch milliseconds), with rests, until `signal` ends it; answers how many. */
  prune(before: number, signal?: AbortSignal): Promise<number>
  /** Removes the statistics of the days that were over before; answers how many rows. */
  pruneStats(before: number): Promise<number>
}
