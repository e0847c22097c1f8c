/** What somebody did, before it is chained. */
export interface AuditEntry {
  /** UUIDv7; of a call the id of its execution. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly tenant: string
  /** Id of the principal; empty for somebody who proved nothing. */
  readonly actor: string
  readonly username?: string | undefined
  /** Id of the API key that the actor came with. */
  readonly key?: string | undefined
  /** `tools:execute`, `servers:create`, `auth:login`. */
  readonly action: string
  /** Exposed name or URI of what was called, address of what was changed. */
  readonly resource: string
  readonly outcome: AuditOutcome
  /** Code of the catalogue where it failed. */
  readonly code?: string | undefined
  readonly requestId?: string | undefined
  readonly surface: 'mcp' | 'rest' | 'oauth' | 'gateway'
  /** The rule that decided, in the policy's words. */
  readonly rule?: string | undefined
  /** What else is worth knowing; already without secrets. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined
}

export type AuditOutcome = 'success' | 'error' | 'denied'

/** A record as it is chained, exported and shown. */
export interface AuditRecord {
  /** Counts from 1 in each tenant, without gaps. */
  readonly seq: number
  readonly id: string
  /** RFC 3339. */
  readonly time: string
  readonly tenant: string
  readonly actor: string
  readonly username?: string
  readonly key?: string
  readonly action: string
  readonly resource: string
  readonly outcome: AuditOutcome
  readonly code?: string
  readonly request_id?: string
  readonly surface: string
  readonly rule?: string
  readonly facts?: Readonly<Record<string, unknown>>
}

/** A record that is tied to those before it. */
export interface Link {
  readonly seq: number
  /** Of the hash before and `body`. */
  readonly hash: string
  /** The record as JSON text, to the letter. */
  readonly body: string
}

/** A link on its way to the store, which searches by when it was. */
export interface NewLink extends Link {
  /** Epoch milliseconds. */
  readonly at: number
}

/** A link as it was kept. */
export interface KeptLink extends Link {
  /** Whether a search by its time comes across it. */
  readonly isIndexed: boolean
}

export interface AuditFilter {
  readonly tenant: string
  readonly actor?: string
  readonly action?: string
  readonly resource?: string
  readonly outcome?: AuditOutcome
  /** Epoch milliseconds, inclusive and exclusive. */
  readonly from?: number
  readonly to?: number
  readonly limit: number
  readonly offset: number
}

/** The chain of a tenant while nobody else can append to it. */
export interface LockedChain {
  /** The sealed head as it was kept; undefined for none. */
  readonly sealed: string | undefined
  /** The record with the highest number. */
  last(): Promise<Pick<Link, 'seq' | 'hash'> | undefined>
  /** Of the records after this number. */
  bodiesAfter(seq: number): Promise<readonly string[]>
}

/** What comes to a chain. */
export interface Growth {
  readonly links: readonly NewLink[]
  readonly sealed: string
}

/** The durable chains, one a tenant. */
export interface AuditStore {
  /** In one transaction, one appender after the other, also of several processes: keeps what `grow` answers, all or nothing. */
  append(tenant: string, grow: (chain: LockedChain) => Promise<Growth>): Promise<void>
  sealedHead(tenant: string): Promise<string | undefined>
  /** The next ones in the order of the chain, some hundred at a time; none at its end. */
  read(tenant: string, afterSeq: number): Promise<KeptLink[]>
  /** Newest first, with the number of all that match. */
  list(filter: AuditFilter): Promise<{ readonly records: AuditRecord[]; readonly total: number }>
}
