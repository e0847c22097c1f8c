import { sql } from 'kysely'
import type { AuditStore } from '#audit/record'
import type { DatabaseConfig } from '#config/config'
import type { ExecutionStore } from '#gateway/executions'
import type { IdentityStores } from '#identity/create-identity'
import type { Logger } from '#kernel/logger'
import type { Vault } from '#kernel/vault'
import type { OauthStore } from '#oauth/oauth-store'
import type { RoleRecord, RoleStore } from '#policy/role-registry'
import type { RegistryStores } from '#registry/stores'
import type { SearchStores } from '#search/open-tool-search'
import { createAuditStore } from './audit.ts'
import { createApiKeyStore } from './api-keys.ts'
import { deploymentOf } from './deployment.ts'
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
import { sealPlainRows, sealRows, type SealedRows } from './seal-rows.ts'
import { plainBodies, sealedBodies, type Bodies, type SealedTable } from './sealed-bodies.ts'
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
  /** Seals with the current key what is sealed with another. */
  reseal(): Promise<SealedRows>
  /** What the gateways on this database are together; made of `proposed` where nothing is kept. */
  deployment(proposed: string): Promise<string>
  readonly oauth: OauthStore
  /** Resolves when the database answers. */
  check(): Promise<void>
}

interface StorageDeps {
  readonly log: Logger
  now(): number
  /** Seals what is secret; absent where nothing is: in evaluations and tests of other things. */
  readonly vault?: Vault
}

/**
 * Opens the database and brings its tables to this version. Rejects with `conflict` when another process has the
 * SQLite database, with `unavailable` when the database cannot be reached, opened or migrated.
 */
export async function openStorage(database: DatabaseConfig, deps: StorageDeps): Promise<Storage> {
  const startedAt = deps.now()
  const engine = await openEngine(database, deps.log)
  try {
    await migrate(engine)
    if (deps.vault) await sealPlainRows(engine, deps.vault, deps.log)
  } catch (thrown) {
    await engine.close()
    throw thrown
  }
  deps.log.info({ kind: engine.kind, ms: deps.now() - startedAt }, 'storage opened')
  return createStorage(engine, deps.vault)
}

async function openEngine(database: DatabaseConfig, log: Logger): Promise<Engine> {
  return database.kind === 'sqlite' ? openSqlite(database.path) : openPostgres(database.url.reveal(), log)
}

function createStorage(engine: Engine, vault: Vault | undefined): Storage {
  const { kind, db } = engine
  let closing: Promise<void> | undefined
  const ping = async () => {
    await sql`select 1`.execute(db)
  }
  return {
    kind,
    registry: createRegistryStores(db, vault),
    executions: guarded(createExecutionStore(engine)),
    audit: guarded(createAuditStore(engine)),
    search: createSearchStores(db),
    roles: guarded(createRecordStore<RoleRecord>(db, 'roles')),
    identity: createIdentityStores(engine),
    reseal: guarded({ reseal: async () => (vault ? sealRows(engine, vault) : { resealed: 0, locked: 0 }) }).reseal,
    deployment: guarded({ of: (proposed: string) => deploymentOf(db, proposed) }).of,
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

function createRegistryStores(db: Database, vault: Vault | undefined): RegistryStores {
  const bodies = (table: SealedTable): Bodies => (vault ? sealedBodies(table, vault) : plainBodies(table))
  return {
    upstreams: guarded(createRecordStore(db, 'upstreams', bodies('upstreams'))),
    httpTools: guarded(createRecordStore(db, 'http_tools', bodies('http_tools'))),
    overrides: guarded(createRecordStore(db, 'tool_overrides')),
    namespaces: guarded(createRecordStore(db, 'namespaces')),
    snapshots: guarded(createSnapshotStore(db)),
    names: guarded(createExposedNameStore(db)),
  }
}
