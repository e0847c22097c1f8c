import { sql } from 'kysely'
import type { AuditStore } from '#audit/record'
import type { DatabaseConfig } from '#config/config'
import type { ExecutionStore } from '#gateway/executions'
import type { IdentityStores } from '#identity/create-identity'
import type { Logger } from '#kernel/logger'
import type { OauthStore } from '#oauth/oauth-store'
import type { RoleRecord, RoleStore } from '#policy/role-registry'
import type { RegistryStores } from '#registry/stores'
import type { SearchStores } from '#search/open-tool-search'
import { createAuditStore } from './audit.ts'
import { createApiKeyStore } from './api-keys.ts'
import { createExecutionStore } from './executions.ts'
import { createExposedNameStore } from './exposed-names.ts'
import { createLoginStore } from './logins.ts'
import { migrate } from './migrations.ts'
import { createOauthStore } from './oauth-records.ts'
import { openPostgres } from './postgres.ts'
import { createRecordStore } from './records.ts'
import { createRefreshStore, createRevocationStore } from './refresh-families.ts'
import type { Database, Engine } from './schema.ts'
import { createLessonStore } from './search-lessons.ts'
import { createVectorStore } from './search-vectors.ts'
import { createSearchStore } from './searches.ts'
import { createSnapshotStore } from './snapshots.ts'
import { openSqlite } from './sqlite.ts'
import { guarded } from './storage-errors.ts'
import { createUserStore } from './users.ts'

/** All that is durable. Its methods reject with `unavailable` while the database does not answer. */
export interface Storage extends AsyncDisposable {
  readonly kind: DatabaseConfig['kind']
  readonly registry: RegistryStores
  readonly executions: ExecutionStore
  readonly audit: AuditStore
  readonly search: SearchStores
  readonly roles: RoleStore
  readonly identity: IdentityStores
  readonly oauth: OauthStore
  /** Resolves when the database answers. */
  check(): Promise<void>
}

/**
 * Opens the database and brings its tables to this version. Rejects with `conflict` when another process has the
 * SQLite database, with `unavailable` when the database cannot be reached, opened or migrated.
 */
export async function openStorage(
  database: DatabaseConfig,
  deps: { readonly log: Logger; readonly now: () => number },
): Promise<Storage> {
  const startedAt = deps.now()
  const engine = await openEngine(database, deps.log)
  try {
    await migrate(engine)
  } catch (thrown) {
    await engine.close()
    throw thrown
  }
  deps.log.info({ kind: engine.kind, ms: deps.now() - startedAt }, 'storage opened')
  return createStorage(engine)
}

async function openEngine(database: DatabaseConfig, log: Logger): Promise<Engine> {
  return database.kind === 'sqlite' ? openSqlite(database.path) : openPostgres(database.url.reveal(), log)
}

function createStorage(engine: Engine): Storage {
  const { kind, db } = engine
  let closing: Promise<void> | undefined
  const ping = async () => {
    await sql`select 1`.execute(db)
  }
  return {
    kind,
    registry: createRegistryStores(db),
    executions: guarded(createExecutionStore(engine)),
    audit: guarded(createAuditStore(engine)),
    search: createSearchStores(db),
    roles: guarded(createRecordStore<RoleRecord>(db, 'roles')),
    identity: createIdentityStores(engine),
    oauth: guarded(createOauthStore(db)),
    check: guarded({ ping }).ping,
    [Symbol.asyncDispose]: () => (closing ??= engine.close()),
  }
}

function createSearchStores(db: Database): SearchStores {
  return {
    searches: guarded(createSearchStore(db)),
    vectors: guarded(createVectorStore(db)),
    lessons: guarded(createLessonStore(db)),
  }
}

function createIdentityStores(engine: Engine): IdentityStores {
  const { db } = engine
  return {
    users: guarded(createUserStore(engine)),
    logins: guarded(createLoginStore(db)),
    families: guarded(createRefreshStore(db)),
    revocations: guarded(createRevocationStore(db)),
    apiKeys: guarded(createApiKeyStore(db)),
  }
}

function createRegistryStores(db: Database): RegistryStores {
  return {
    upstreams: guarded(createRecordStore(db, 'upstreams')),
    httpTools: guarded(createRecordStore(db, 'http_tools')),
    overrides: guarded(createRecordStore(db, 'tool_overrides')),
    namespaces: guarded(createRecordStore(db, 'namespaces')),
    snapshots: guarded(createSnapshotStore(db)),
    names: guarded(createExposedNameStore(db)),
  }
}
