import { existsSync } from 'node:fs'
import { openAudit, type AuditLog } from '#audit/audit-log'
import { createOtherRecords, type OtherRecords } from '#audit/other-records'
import { createStoredAudit, type StoredAudit } from '#audit/stored-audit'
import type { Config } from '#config/config'
import { keyRing, type KeyRing } from '#config/secret-key'
import type { SharedFailures } from '#identity/lockout'
import { NO_BROADCAST, type Broadcast } from '#kernel/broadcast'
import { AppError } from '#kernel/errors'
import { uuidv7 } from '#kernel/ids'
import type { Logger } from '#kernel/logger'
import { createVault } from '#kernel/vault'
import type { SharedCounts } from '#resilience/rate-limit'
import type { SharedTexts } from '#resilience/second-level'
import type { SharedRedis } from '#storage/open-redis'
import { openStorage, type Storage } from '#storage/open-storage'
import { createRedisCounts } from '#storage/redis-counts'
import { createSharedFailures } from '#storage/redis-failures'
import { createSharedTexts } from '#storage/redis-results'
import { createRotation, type RotateSecrets } from '#storage/rotate-secrets'

/** What is kept, with what keys, and what is shared with other gateways. */
export interface Stores {
  readonly storage: Storage
  /** The gateway's own keys, the current one first. */
  readonly keys: KeyRing['keys']
  readonly rotateSecrets: RotateSecrets
  readonly audit: AuditLog
  /** What neither is a call nor comes over REST. */
  readonly records: OtherRecords
  /** Where gateways share state; undefined for one that is alone. */
  readonly redis: SharedRedis | undefined
  /** News to and from the other gateways. */
  readonly broadcast: Broadcast
  /** Counted with the other gateways where there is a Redis. */
  readonly counts?: SharedCounts
  /** Failed logins, counted in the same way. */
  readonly failures?: SharedFailures
  /** Results that gateways keep together; absent for one that is alone. */
  readonly texts?: SharedTexts
}

interface StoresDeps {
  logger(room: string): Logger
  /** Epoch milliseconds. */
  now(): number
}

export async function openStores(config: Config, deps: StoresDeps, resources: AsyncDisposableStack): Promise<Stores> {
  const { logger, now } = deps
  const ring = await keyRing(config)
  const vault = createVault(ring.keys)
  const storage = resources.use(await openStorage(config.database, { log: logger('storage'), now, vault }))
  const [secret, ...previousSecrets] = ring.keys
  const auditDeps = { store: storage.audit, secret, previousSecrets, log: logger('audit') }
  const audit = resources.use(openAudit({ ...auditDeps, now, newId: uuidv7 }))
  const records = createOtherRecords({ audit, now, newId: uuidv7 })
  const rotateSecrets = createRotation({ ring, vault, storage })
  return { storage, keys: ring.keys, rotateSecrets, audit, records, ...(await openShared(config, logger, resources)) }
}

/** What a gateway that does not run has recorded. Rejects with `conflict` when one runs on that database after all. */
export async function openStoredAudit(config: Config, { logger }: Pick<StoresDeps, 'logger'>): Promise<StoredAudit> {
  const { database } = config
  if (database.kind === 'sqlite' && !existsSync(database.path))
    throw new AppError('not_found', `There is no database ${database.path}; name its directory with --data-dir`)
  await using resources = new AsyncDisposableStack()
  const { redis: _alone, ...rest } = config
  const { audit } = await openStores(rest, { logger, now: Date.now }, resources)
  const kept = resources.move()
  return createStoredAudit(audit, () => kept.disposeAsync())
}

async function openShared(
  { redis }: Config,
  logger: StoresDeps['logger'],
  resources: AsyncDisposableStack,
): Promise<Pick<Stores, 'redis' | 'broadcast' | 'counts' | 'failures' | 'texts'>> {
  if (!redis) return { redis, broadcast: NO_BROADCAST }
  // The package is only loaded where it is used: it costs memory.
  const { openRedis } = await import('#storage/open-redis')
  const shared = resources.use(await openRedis(redis.reveal(), logger('redis')))
  const { broadcast } = shared
  const [counts, failures, texts] = [createRedisCounts(shared), createSharedFailures(shared), createSharedTexts(shared)]
  return { redis: shared, broadcast, counts, failures, texts }
}
