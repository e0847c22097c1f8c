import type { JsonObject } from '#kernel/json'
import type { Expose } from '#registry/records'
import type { HttpToolDraft, NamespaceDraft, UpstreamDraft } from '#registry/registry-api'

/** A value that must not be shown: prints as `[secret]`, read with `reveal()`. */
export interface Secret {
  reveal(): string
  toString(): string
  toJSON(): string
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR'

export type DatabaseConfig =
  { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgres'; readonly url: Secret }

/** Rules that operators put around calls. */
export interface GuardConfig {
  /** Patterns of exposed tool names; `*` matches any run of characters. */
  readonly tools: readonly string[]
  /** Refuse, with this reason. */
  readonly deny?: string
  /** Set these arguments before the call. */
  readonly setArguments?: JsonObject
  /** Replace what matches (a linear-time regular expression) in the texts of the result. */
  readonly redact?: { readonly pattern: string; readonly replacement: string }
  /** A module that exports `before(call)` and/or `after(call, result)`. */
  readonly module?: string
}

/** Where servers are found without being registered. */
export type DiscoverySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'registry'; readonly url: string; readonly search?: string }
  | {
      readonly kind: 'network'
      readonly hosts: readonly string[]
      readonly ports: readonly number[]
      readonly path: string
    }

/** What may change while the gateway runs: read at start and whenever the file changes. */
export interface DynamicConfig {
  readonly servers: readonly UpstreamDraft[]
  readonly tools: readonly HttpToolDraft[]
  readonly namespaces: readonly NamespaceDraft[]
  readonly guards: readonly GuardConfig[]
  readonly discovery: readonly DiscoverySource[]
}

/** A search service of somebody else's, or of the operator's own. */
export interface ProviderConfig {
  readonly url: string
  readonly model?: string
  readonly key?: Secret
}

export interface SearchConfig {
  readonly embedder: 'minilm' | 'static'
  readonly learning: boolean
  /** Speaks the OpenAI-compatible `/v1/embeddings`; goes before the embedder. */
  readonly embeddings?: ProviderConfig & { readonly model: string }
  /** Speaks `/rerank`. */
  readonly rerank?: ProviderConfig
}

type Hash = '256' | '384' | '512'
/** As RFC 7518 and 8037 write them. */
export type SigningAlgorithm = `${'HS' | 'RS' | 'PS' | 'ES'}${Hash}` | 'EdDSA'

/** Who may come, and for how long what proves it is good. */
interface AccessConfig {
  /** The role of callers without a credential; undefined where there may be none. */
  readonly anonymousRole: string | undefined
  /** What signs access tokens; the file has a private key for those algorithms that are not HS. */
  readonly algorithm: SigningAlgorithm
  readonly signingKeyFile?: string
  readonly accessTokenMs: number
  readonly refreshTokenMs: number
  /** The first administrator; without a password one is generated and shown once. */
  readonly administrator: { readonly username: string; readonly password?: Secret }
}

/** Where the spans of calls go. */
export interface TracingConfig {
  /** OTLP over HTTP, without the path of the signal. */
  readonly endpoint: string
  /** Share of the calls that are traced, 0 to 1, where the caller has not decided. */
  readonly sampleRatio: number
}

/** How calls fare that meet trouble, where neither server nor tool says otherwise. */
interface EnduranceConfig {
  /** How often a call is tried at most. */
  readonly attempts: number
  readonly breaker: { readonly failures: number; readonly recoveryMs: number; readonly successes: number }
}

/** Results of read-only tools that are given again. */
interface CacheConfig {
  readonly enabled: boolean
  /** How long a result is good where nobody says. */
  readonly ttlMs: number
  readonly bytesMax: number
}

/** What is kept of calls; 0 days for ever. */
interface HistoryConfig {
  /** Of calls and searches. */
  readonly days: number
  readonly statisticsDays: number
  /** Of what calls carry. */
  readonly payloads: 'none' | 'arguments' | 'all'
}

/** Who may come in from where. */
export interface EdgeConfig {
  /** Whether only this machine can reach the gateway. */
  readonly isLoopbackOnly: boolean
  /** Host names accepted beside the loopback names. */
  readonly allowedHosts: readonly string[]
  /** Web origins that may read answers. */
  readonly allowedOrigins: readonly string[]
  /** Addresses and ranges of proxies that say whom they speak for. */
  readonly trustedProxies: readonly string[]
  /** Files in PEM; undefined: no TLS of our own. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string }
}

/** A user of the operating system, and its group. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** All settings, checked and frozen. Static: a change needs a restart; `dynamic` does not. */
export interface Config extends EdgeConfig {
  readonly host: string
  readonly port: number
  readonly debug: boolean
  readonly logLevel: LogLevel
  readonly dataDir: string
  readonly database: DatabaseConfig
  /** Where gateways share state; undefined for one that is alone. */
  readonly redis?: Secret
  /** Undefined: made and kept in the data dir. */
  readonly secretKey?: Secret
  /** Were the key before: what they sealed still opens, what they signed is good until it ends. */
  readonly previousSecretKeys?: readonly Secret[]
  /** The config file, when there is one: watched for changes. */
  readonly file?: string
  /** Idle limit of a tool call where neither server nor tool names one. */
  readonly toolTimeoutMs: number
  readonly endurance: EnduranceConfig
  /** How long a server that is connected may take to introduce itself. */
  readonly handshakeTimeoutMs: number
  /** How long a downstream session may do nothing. */
  readonly sessionIdleMsMax: number
  /** How many event streams one caller may hold open. */
  readonly streamsMax: number
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs: number
  /** How long a stopping gateway waits for running calls. */
  readonly gracePeriodMs: number
  readonly bodyBytesMax: number
  readonly resultBytesMax: number
  /** The origin by which others reach the gateway; undefined for where it listens. */
  readonly publicUrl: string | undefined
  /** Private hosts and CIDRs that API-registered upstreams and HTTP tools may have. */
  readonly egressAllow: readonly string[]
  readonly search: SearchConfig
  readonly access: AccessConfig
  /** Requests; 0 for any number. */
  readonly ratesPerMinute: { readonly login: number; readonly management: number; readonly calls: number }
  readonly cache: CacheConfig
  readonly stdioRegistration: 'auto' | 'on' | 'off'
  /** As whom commands run; absent for the gateway's own user. */
  readonly stdioUser?: SystemUser | undefined
  /** What `/mcp` lists: the tools, or the meta-tools. */
  readonly expose: Expose
  readonly metricsEnabled: boolean
  /** Undefined: no call is traced. */
  readonly tracing?: TracingConfig
  /** What becomes of calls while they cannot be audited. */
  readonly auditUnavailable: 'spool' | 'block'
  readonly history: HistoryConfig
  /** A call that takes longer is said to be slow. */
  readonly slowCallMs: number
  readonly dynamic: DynamicConfig
}
