import type { AppError } from '#kernel/errors'
import type { CatalogChange, CatalogTool, CatalogView } from './catalog-view.ts'
import type { NameCollision } from './exposed-names.ts'
import type { Expose, HttpToolRecord, NamespaceRecord, Origin, ToolOverrideRecord, UpstreamRecord } from './records.ts'
import type { UpstreamSnapshot } from './snapshot.ts'
import type { RegistryStores } from './stores.ts'

/** What a caller gives to make a record; the registry adds id, origin and times. */
type Draft<T> = Omit<T, 'id' | 'origin' | 'fileDigest' | 'locked' | 'createdAt' | 'updatedAt'>
export type UpstreamDraft = Draft<UpstreamRecord>
export type HttpToolDraft = Draft<HttpToolRecord>
export type NamespaceDraft = Draft<NamespaceRecord>
export type ToolOverrideChange = Partial<
  Pick<
    ToolOverrideRecord,
    | 'exposedName'
    | 'description'
    | 'enabled'
    | 'category'
    | 'tags'
    | 'securityLevel'
    | 'metadata'
    | 'timeoutMs'
    | 'breaker'
    | 'attempts'
    | 'fallback'
    | 'readOnly'
    | 'cache'
  >
>

/** Operations on one kind of record. Names are unique; `key` is an id or a name. */
export interface RecordOperations<T, D> {
  list(): readonly T[]
  find(key: string): T | undefined
  /** `find`, or AppError `not_found` (`tool_not_found` for tools). */
  get(key: string): T
  /** What `get` throws. */
  unknown(key: string): AppError
  /** Durable before it resolves. AppError `conflict` when the name is taken: of two at once exactly one succeeds. */
  register(draft: D, origin?: Origin, fileDigest?: string): Promise<T>
  /**
   * Replaces the given members; durable before it resolves. With a file digest `change` is the whole record, and it is the
   * operator's file's from now on.
   */
  update(key: string, change: Partial<D>, fileDigest?: string): Promise<T>
  /** Durable before it resolves; the name is free afterwards. AppError `conflict` for what the operator's file owns, unless `force`. */
  remove(key: string, options?: { readonly force?: boolean }): Promise<void>
}

export interface RegistryDeps {
  readonly stores: RegistryStores
  /** How the endpoint of everything shows its tools; `all` when absent. */
  readonly expose?: Expose
  /** Epoch milliseconds. */
  now(): number
  newId(): string
}

/** What exists. The durable part is loaded at start and written through; reads never wait. */
export interface Registry {
  readonly upstreams: RecordOperations<UpstreamRecord, UpstreamDraft>
  readonly httpTools: RecordOperations<HttpToolRecord, HttpToolDraft>
  readonly namespaces: RecordOperations<NamespaceRecord, NamespaceDraft>
  readonly catalog: Catalog
  /** Changes how a tool of an MCP server is shown. AppError `tool_not_found`; `conflict` when the new name is taken. */
  overrideTool(name: string, change: ToolOverrideChange): Promise<CatalogTool>
  /** Takes an upstream's new lists: stores them and publishes a new revision if they differ from the last ones. */
  publishSnapshot(snapshot: UpstreamSnapshot): Promise<void>
  /** Called after an upstream was registered, changed or removed (`after` undefined). Answers how to stop listening. */
  onUpstreamChange(listener: UpstreamListener): () => void
}

export type UpstreamListener = (change: { readonly before?: UpstreamRecord; readonly after?: UpstreamRecord }) => void

/** The published lists, one immutable view a namespace and revision. */
export interface Catalog {
  readonly revision: number
  /** The view of a namespace, or of everything. Undefined for a namespace that does not exist. */
  view(namespace?: string): CatalogView | undefined
  /** The views of everything and of each namespace. */
  views(): readonly CatalogView[]
  /** All tools, disabled ones included: for the operator. */
  allTools(): readonly CatalogTool[]
  collisions(): readonly NameCollision[]
  /** False while an upstream is enabled of which nothing is known yet. */
  isComplete(): boolean
  snapshot(upstreamId: string): UpstreamSnapshot | undefined
  /** Called once a revision for each namespace whose visible lists changed. */
  onChange(listener: (change: CatalogChange) => void): () => void
}
