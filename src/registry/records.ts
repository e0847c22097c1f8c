import type { HttpTransport } from '#kernel/http-transport'
import type { JsonObject } from '#kernel/json'

/** Which protocol family an upstream speaks; `auto` asks it. */
type EraChoice = 'auto' | 'legacy' | 'modern'
export type Era = Exclude<EraChoice, 'auto'>

/** How we reach an upstream. */
export type Connection =
  | {
      readonly kind: 'stdio'
      readonly command: string
      readonly args: readonly string[]
      readonly env: Readonly<Record<string, string>>
      readonly cwd?: string
    }
  | {
      readonly kind: 'http'
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      readonly transport: HttpTransport
    }

/**
 * Who may use one upstream session at a time. `auto`: whoever can be asked back holds it alone while its calls run;
 * `always`: everybody at once; `never`: each downstream session has its own.
 */
export type Sharing = 'auto' | 'always' | 'never'

/** The operator's file owns what it names; the API owns the rest. */
export type Origin = 'file' | 'api' | 'discovery'

/** How a thing is reached is stored sealed, and could not be opened: it is kept as it is, until the key is there again. */
export interface Locked {
  /** A plain sentence. */
  readonly reason: string
  readonly sealed: string
}

interface RecordBase {
  readonly id: string
  readonly name: string
  readonly origin: Origin
  /** Fingerprint of the file's entry as it was last applied; an entry that has not changed leaves edits over the API alone. */
  readonly fileDigest?: string
  /** Present where it cannot be read how the thing is reached; then that is empty. */
  readonly locked?: Locked
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** Where a breaker differs from the settings. */
export interface BreakerChange {
  readonly failures?: number
  readonly recoveryMs?: number
  readonly successes?: number
}

/** How results of read-only tools are kept, as an operator said; milliseconds. */
export interface CacheRule {
  /** Absent: as the settings say. 0: never. */
  readonly ttlMs?: number
  /** So long after that a result is still given while it is got anew behind the answer. */
  readonly staleWhileRevalidateMs?: number
  /** So long after that it is kept for calls that fail. */
  readonly staleIfErrorMs?: number
}

/** How calls fare that meet trouble, where it differs from the settings. */
interface Endurance {
  readonly breaker?: BreakerChange
  /** How often a call is tried at most. */
  readonly attempts?: number
}

/** What is said of one tool. */
export interface ToolRules extends Endurance {
  readonly timeoutMs?: number
  /** Exposed name of the tool that is called when this one cannot. */
  readonly fallback?: string
  /** The operator says whether calling it changes nothing, whatever its annotations say. */
  readonly readOnly?: boolean
  /** Null means none of its own. */
  readonly cache?: CacheRule | null
}

/** An MCP server behind the gateway. */
export interface UpstreamRecord extends RecordBase, Endurance {
  readonly connection: Connection
  /** Stands before exposed names; the empty string leaves the upstream's names unchanged. */
  readonly prefix: string
  readonly enabled: boolean
  readonly era: EraChoice
  /** Lazy connects at the first call (or when nothing is known of the upstream yet), eager at start. */
  readonly start: 'lazy' | 'eager'
  readonly share: Sharing
  /** Idle limit of one call; progress starts it anew. */
  readonly timeoutMs: number
  readonly maxConcurrency: number
  readonly description?: string
  /** By the server's own name for the tool. */
  readonly tools?: Readonly<Record<string, ToolRules>>
  /** Of its read-only tools; null means none. */
  readonly cache?: CacheRule | null
}

/** A plain HTTP API that is offered as a tool. */
export interface HttpToolRecord extends RecordBase, Endurance {
  readonly description: string
  /** May hold `{argument}` places in path and query. */
  readonly endpoint: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  /** Where each argument goes. One that is not named goes into its `{place}`, else into the query (GET, DELETE) or the JSON body. */
  readonly mapping?: Readonly<Record<string, 'path' | 'query' | 'header' | 'body'>>
  readonly inputSchema: JsonObject
  readonly outputSchema?: JsonObject
  readonly annotations?: JsonObject
  readonly category?: string
  readonly tags: readonly string[]
  readonly capabilities: readonly string[]
  readonly securityLevel: number
  readonly version?: string
  readonly metadata: JsonObject
  readonly enabled: boolean
  readonly timeoutMs: number
  /** Exposed name of the tool that is called when this one cannot. */
  readonly fallback?: string
  /** The operator says that calling it changes nothing. */
  readonly readOnly?: boolean
  readonly cache?: CacheRule | null
}

/** What an operator changed about a tool of an MCP server; absent members leave the tool's own. */
export interface ToolOverrideRecord extends RecordBase, ToolRules {
  /** `name` of the record is `server/original name`. */
  readonly upstreamId: string
  readonly originalName: string
  readonly exposedName?: string
  readonly description?: string
  readonly enabled?: boolean
  readonly category?: string
  readonly tags?: readonly string[]
  readonly securityLevel?: number
  readonly metadata?: JsonObject
}

/** Whether clients are shown the tools or the three meta-tools; `auto` decides by the size of the definitions. */
export type Expose = 'all' | 'search' | 'auto'

/** A named, published set of tools, served at `/mcp/{name}`. */
export interface NamespaceRecord extends RecordBase {
  readonly description?: string
  /** Names of upstreams; absent means all. */
  readonly servers?: readonly string[]
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly expose: Expose
  /** Patterns of names as this namespace shows them: these tools are listed whatever `expose` says. Absent means none. */
  readonly pinned?: readonly string[]
  /** Of read-only tools of which neither the tool nor its server says anything else. */
  readonly cache?: CacheRule | null
  /** By exposed name: another name or description in this namespace only. */
  readonly overrides: Readonly<Record<string, { readonly name?: string; readonly description?: string }>>
}
