import type { HttpToolRecord, NamespaceRecord, ToolOverrideRecord, UpstreamRecord } from './records.ts'
import type { UpstreamSnapshot } from './snapshot.ts'

/** A durable set of small records, each with an id and a name that no other of the set has. */
export interface RecordStore<T extends { readonly id: string; readonly name: string }> {
  /** All records, by creation. */
  list(): Promise<T[]>
  /** Rejects with AppError `conflict` when the id or the name exists: of two at once exactly one succeeds. */
  insert(record: T): Promise<void>
  /** Replaces the record of the same id. Rejects with `not_found` when there is none, `conflict` when the name is taken. */
  update(record: T): Promise<void>
  /** False when there was none. */
  delete(id: string): Promise<boolean>
}

/** Each upstream's last known good lists. */
export interface SnapshotStore {
  list(): Promise<UpstreamSnapshot[]>
  /** Adds or replaces by `upstreamId`. */
  put(snapshot: UpstreamSnapshot): Promise<void>
  delete(upstreamId: string): Promise<void>
}

export type NamedKind = 'tool' | 'prompt'

/** One row of the table by which exposed names are resolved. */
export interface ExposedName {
  readonly kind: NamedKind
  readonly upstreamId: string
  readonly originalName: string
  readonly exposedName: string
}

/** The table of exposed names: what a name meant yesterday it means today. */
export interface ExposedNameStore {
  list(): Promise<ExposedName[]>
  /** Adds or replaces by (kind, upstreamId, originalName). */
  put(names: readonly ExposedName[]): Promise<void>
  deleteUpstream(upstreamId: string): Promise<void>
}

/** All that the registry keeps. */
export interface RegistryStores {
  readonly upstreams: RecordStore<UpstreamRecord>
  readonly httpTools: RecordStore<HttpToolRecord>
  readonly overrides: RecordStore<ToolOverrideRecord>
  readonly namespaces: RecordStore<NamespaceRecord>
  readonly snapshots: SnapshotStore
  readonly names: ExposedNameStore
}
