import type { SearchMode } from './fusion.ts'

/** One search as the history keeps it. */
export interface SearchRecord {
  /** UUIDv7: sorts by start. */
  readonly id: string
  readonly principal: string
  readonly query: string
  readonly mode: SearchMode
  /** Absent for all tools. */
  readonly namespace?: string | undefined
  readonly surface: 'rest' | 'mcp'
  /** How many tools were shown, and how many there were to show. */
  readonly found: number
  readonly total: number
  /** Whether the answer was there from an earlier search. */
  readonly cached: boolean
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly durationMs: number
}

export interface SearchFilter {
  readonly principal?: string
  readonly mode?: SearchMode
  /** Epoch milliseconds, inclusive and exclusive. */
  readonly from?: number
  readonly to?: number
  readonly limit: number
  readonly offset: number
}

/** Counts and times of one mode; durations in milliseconds, undefined without searches. */
export interface SearchModeStats {
  readonly count: number
  readonly cached: number
  readonly averageMs?: number
  readonly p50Ms?: number
  readonly p95Ms?: number
  readonly p99Ms?: number
}

export type SearchStats = Readonly<Record<SearchMode, SearchModeStats>>

/** What was looked for in vain. */
export interface MissedQuery {
  /** Without blanks at its ends, in lower case, with one blank for each run of white space. */
  readonly query: string
  readonly count: number
  /** Epoch milliseconds. */
  readonly lastSearchedAt: number
}

/** The durable history of searches. */
export interface SearchStore {
  /** Adds all of them or, when it rejects, none. One that is there already stays as it is. */
  append(records: readonly SearchRecord[]): Promise<void>
  /** Newest first, with the number of all that match. */
  list(filter: SearchFilter): Promise<{ readonly searches: SearchRecord[]; readonly total: number }>
  /** Of every mode, also of those that nobody used. */
  stats(filter: Pick<SearchFilter, 'principal' | 'from'>): Promise<SearchStats>
  /** The queries with searches in vain, the most frequent first; `from` in epoch milliseconds. */
  missed(limit: number, from?: number): Promise<MissedQuery[]>
  /** Removes what started before `before` (epoch milliseconds), with rests, until `signal` ends it; answers how many. */
  prune(before: number, signal?: AbortSignal): Promise<number>
}
