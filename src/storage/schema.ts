import type { Kysely } from 'kysely'

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

export interface ExecutionTable {
  id: string
  name: string
  server: string
  principal: string
  outcome: 'success' | 'error'
  started_at: number
  duration_ms: number
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

export interface Schema {
  upstreams: RecordTable
  http_tools: RecordTable
  tool_overrides: RecordTable
  namespaces: RecordTable
  snapshots: SnapshotTable
  exposed_names: ExposedNameTable
  executions: ExecutionTable
  searches: SearchTable
  search_vectors: SearchVectorTable
  search_lessons: SearchLessonTable
  roles: RecordTable
  users: UserTable
  logins: LoginTable
  refresh_families: RefreshFamilyTable
  revocations: RevocationTable
  api_keys: ApiKeyTable
}

export const RECORD_TABLES = ['upstreams', 'http_tools', 'tool_overrides', 'namespaces'] as const
export type RecordTableName = (typeof RECORD_TABLES)[number] | 'roles'

/** The columns of `executions` in the order in which engines bind them. */
export const EXECUTION_COLUMNS = [
  'id',
  'name',
  'server',
  'principal',
  'outcome',
  'started_at',
  'duration_ms',
  'body',
] as const satisfies readonly (keyof ExecutionTable)[]

export type Database = Kysely<Schema>

/** One database, opened: what differs between the two kinds. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres'
  readonly db: Database
  /** Adds all rows or none; rows whose id exists already are passed over. */
  appendExecutions(rows: readonly ExecutionTable[]): Promise<void>
  close(): Promise<void>
}
