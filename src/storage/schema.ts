import type { Kysely, Transaction } from 'kysely'

/** Epoch milliseconds are `bigint` columns, read as numbers. Searched text columns hold `textKey`s, `body` the whole record. */
interface RecordTable {
  id: string
  name: string
  /** Order of creation; of two records made at once in two processes both may have the same. */
  position: number
  created_at: number
  updated_at: number
  body: string
}

interface SnapshotTable {
  upstream_id: string
  fetched_at: number
  body: string
}

interface ExposedNameTable {
  kind: string
  upstream_id: string
  original_name: string
  body: string
}

export type ExecutionTable = {
  id: string
  name: string
  server: string
  principal: string
  outcome: 'success' | 'error'
  started_at: number
  duration_ms: number
  body: string
}

/** What calls of one tool, day, outcome and class of duration came to. */
export type ExecutionStatsTable = {
  /** Empty for what is no tool. */
  tool: string
  server: string
  /** Since 1970, UTC. */
  day: number
  outcome: 'success' | 'error'
  duration_class: number
  calls: number
  total_ms: number
  last_at: number
}

/** What calls carried, where an operator wants that to be kept. */
type PayloadTable = {
  id: string
  started_at: number
  body: string
}

export interface SearchTable {
  id: string
  principal: string
  mode: 'keyword' | 'semantic' | 'hybrid'
  /** 0 or 1: SQLite binds no booleans. */
  cached: number
  /** The key of the query when nothing was found. */
  missed: string | null
  started_at: number
  duration_ms: number
  body: string
}

interface SearchVectorTable {
  model: string
  hash: string
  scale: number
  /** Base64. */
  bytes: string
  wanted_at: number
}

interface SearchLessonTable {
  id: string
  learned_at: number
  body: string
}

interface UserTable {
  id: string
  /** In lower case. */
  username: string
  /** 1 for an active user with the role `admin`. */
  administrator: number
  body: string
}

interface LoginTable {
  id: string
  user_id: string | null
  started_at: number
  body: string
}

interface RefreshFamilyTable {
  id: string
  user_id: string
  token_hash: string
  expires_at: number
  body: string
}

interface RevocationTable {
  id: string
  expires_at: number
}

export interface ApiKeyTable {
  id: string
  owner_id: string
  hash: string
  /** These two are not in the body: they change without reading it. */
  last_used_at: number | null
  revoked_at: number | null
  body: string
}

export interface AuditBlockTable {
  tenant: string
  /** Of the last of its records. */
  seq: number
  /** How many. */
  records: number
  oldest_at: number
  newest_at: number
  body: string
}

interface AuditHeadTable {
  tenant: string
  sealed: string
}

export interface OauthRecordTable {
  kind: string
  id: string
  grant_id: string | null
  uid: string | null
  consumed_at: number | null
  expires_at: number
  body: string
}

interface DeploymentTable {
  row: number
  id: string
}

export interface Schema {
  upstreams: RecordTable
  http_tools: RecordTable
  tool_overrides: RecordTable
  namespaces: RecordTable
  snapshots: SnapshotTable
  exposed_names: ExposedNameTable
  executions: ExecutionTable
  execution_stats: ExecutionStatsTable
  execution_payloads: PayloadTable
  searches: SearchTable
  search_vectors: SearchVectorTable
  search_lessons: SearchLessonTable
  roles: RecordTable
  users: UserTable
  logins: LoginTable
  refresh_families: RefreshFamilyTable
  revocations: RevocationTable
  api_keys: ApiKeyTable
  audit_blocks: AuditBlockTable
  audit_heads: AuditHeadTable
  oauth_records: OauthRecordTable
  deployment: DeploymentTable
}

export const RECORD_TABLES = ['upstreams', 'http_tools', 'tool_overrides', 'namespaces'] as const
export type RecordTableName = (typeof RECORD_TABLES)[number] | 'roles'

/** The tables that every call leaves rows in, with their columns in the order in which engines bind them. */
export const CALL_COLUMNS = {
  executions: ['id', 'name', 'server', 'principal', 'outcome', 'started_at', 'duration_ms', 'body'],
  execution_stats: ['tool', 'server', 'day', 'outcome', 'duration_class', 'calls', 'total_ms', 'last_at'],
  execution_payloads: ['id', 'started_at', 'body'],
} as const satisfies {
  readonly [T in 'executions' | 'execution_stats' | 'execution_payloads']: readonly (keyof Schema[T])[]
}

export type CallTable = keyof typeof CALL_COLUMNS
export type CallRow = ExecutionTable | ExecutionStatsTable | PayloadTable

/** What becomes of a row that is there already, in words that both engines understand. */
export const CALL_CONFLICTS: { readonly [T in CallTable]: string } = {
  executions: 'on conflict do nothing',
  execution_stats: `on conflict (tool, server, day, outcome, duration_class) do update set
    calls = execution_stats.calls + excluded.calls,
    total_ms = execution_stats.total_ms + excluded.total_ms,
    last_at = case when excluded.last_at > execution_stats.last_at then excluded.last_at else execution_stats.last_at end`,
  execution_payloads: 'on conflict (id) do nothing',
}

export type Database = Kysely<Schema>

/** One database, opened: what differs between the two kinds. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres'
  readonly db: Database
  /** Adds many rows within a transaction of `db`, as `CALL_CONFLICTS` says; answers how many it wrote. */
  insert(db: Transaction<Schema>, table: CallTable, rows: readonly CallRow[]): Promise<number>
  /** Removes what was written over or deleted from the file; absent where the file is somebody else's. */
  compact?(): Promise<void>
  close(): Promise<void>
}
