import type { JsonObject } from '#kernel/json'
import type { BreakerChange, CacheRule, Expose } from './records.ts'
import type { UpstreamSnapshot } from './snapshot.ts'

/** Whose primitive it is. HTTP tools have the pseudo upstream `http`. */
interface Owner {
  readonly upstreamId: string
  readonly server: string
}

/** What its calls may cost, and how they fare that meet trouble. */
interface Limits {
  readonly timeoutMs: number
  readonly maxConcurrency: number
  readonly breaker?: BreakerChange | undefined
  readonly attempts?: number | undefined
}

/** A tool as the catalog publishes it. */
export interface CatalogTool extends Owner, Limits {
  /** Stable over restarts and renames. */
  readonly id: string
  readonly kind: 'mcp' | 'http'
  /** Name in the REST API; equals `exposedName` except for HTTP tools with characters that MCP names may not have. */
  readonly name: string
  readonly exposedName: string
  /** Its exposed name where all tools are, whatever a namespace calls it: permissions speak of this one. */
  readonly catalogName: string
  readonly originalName: string
  /** The definition under its exposed name, otherwise to the letter what the upstream wrote. */
  readonly text: string
  /** The same, parsed at first use. */
  readonly definition: JsonObject
  readonly inputSchemaText?: string
  /** It has a breaker of its own instead of that of its upstream. */
  readonly hasOwnBreaker?: boolean
  /** Exposed name of the tool that is called when this one cannot. */
  readonly fallback?: string | undefined
  /** What the operator says about it, whatever its annotations say. */
  readonly readOnly?: boolean | undefined
  readonly cache?: CacheRule | undefined
  readonly enabled: boolean
  readonly category?: string
  readonly tags: readonly string[]
  readonly capabilities: readonly string[]
  readonly securityLevel: number
  readonly version?: string
  readonly metadata: JsonObject
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** A prompt, resource or template: `key` is the exposed name, URI or URI template. */
export interface CatalogEntry extends Owner, Limits {
  readonly key: string
  readonly originalKey: string
  readonly text: string
}

/** An upstream as the catalog knows it: its settings' part in routing and its last snapshot. */
export interface CatalogUpstream extends Owner, Limits {
  readonly snapshot: UpstreamSnapshot
  /** The operator's words about it. */
  readonly description?: string
}

/** What one namespace shows at one revision. Immutable; a change makes a new one. */
export interface CatalogView {
  readonly revision: number
  readonly namespace?: string
  readonly expose: Expose
  readonly tools: readonly CatalogTool[]
  /** Those of the tools that are listed whatever `expose` says. */
  readonly pinned: readonly CatalogTool[]
  readonly toolByName: ReadonlyMap<string, CatalogTool>
  readonly prompts: readonly CatalogEntry[]
  readonly promptByName: ReadonlyMap<string, CatalogEntry>
  readonly resources: readonly CatalogEntry[]
  readonly resourceByUri: ReadonlyMap<string, CatalogEntry>
  readonly templates: readonly CatalogEntry[]
  /** The upstreams that have a part in this view, in stable order. */
  readonly upstreams: readonly CatalogUpstream[]
}

/** Which kinds of list differ between two revisions of one namespace. */
export interface CatalogChange {
  readonly namespace?: string
  readonly tools: boolean
  readonly prompts: boolean
  readonly resources: boolean
}
