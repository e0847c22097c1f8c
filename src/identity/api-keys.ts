import { createHash, randomBytes } from 'node:crypto'
import { AppError, messageOf, ValidationError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { addressList } from './addresses.ts'
import { createRecentMap } from '#kernel/recent-map'
import type { Page } from './users.ts'

const PREFIX = 'mmcp_'
const SECRET_BYTES = 32
const SHAPE = /^mmcp_[\w-]{43}$/
/** Enough to tell one's keys apart; what remains has 214 bits. */
const SHOWN_CHARS = 12
const NAME_CHARS_MAX = 100
const ENTRIES_MAX = 100
const ENTRY_CHARS_MAX = 200
/** The last use is written at most so often. */
const USE_MS = 60_000
const KEYS_REMEMBERED = 20_000

/** A credential for MCP clients and programs. */
export interface ApiKey {
  /** UUIDv7. */
  readonly id: string
  readonly name: string
  readonly ownerId: string
  /** The beginning of the key: what people know it by. */
  readonly prefix: string
  /** SHA-256 of the whole key: 256 random bits need no slower one. */
  readonly hash: string
  /** Of what the owner may do only this; absent without a narrowing. */
  readonly permissions?: readonly string[]
  readonly namespaces?: readonly string[]
  /** Addresses and CIDR ranges from which it is accepted. */
  readonly addresses?: readonly string[]
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly expiresAt?: number
  readonly lastUsedAt?: number
  readonly revokedAt?: number
}

/** Keeps API keys over restarts. */
export interface ApiKeyStore {
  insert(key: ApiKey): Promise<void>
  find(id: string): Promise<ApiKey | undefined>
  findByHash(hash: string): Promise<ApiKey | undefined>
  /** By creation, of one owner or of all, the revoked ones included, with the number of all. */
  list(filter: ApiKeyFilter): Promise<{ readonly apiKeys: ApiKey[]; readonly total: number }>
  /** False when there was none, or when it was revoked already. */
  revoke(id: string, at: number): Promise<boolean>
  /** Notes that the key was used. */
  touch(id: string, at: number): Promise<void>
}

interface ApiKeyFilter extends Page {
  readonly ownerId?: string
}

export interface ApiKeyDraft {
  readonly name: string
  readonly ownerId: string
  readonly permissions?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly addresses?: readonly string[]
  /** Epoch milliseconds. */
  readonly expiresAt?: number
}

export interface ApiKeys {
  /** The only answer that ever has the key. That it is no wider than its owner is for the caller to check. */
  create(draft: ApiKeyDraft): Promise<{ readonly apiKey: ApiKey; readonly key: string }>
  list(filter: ApiKeyFilter): ReturnType<ApiKeyStore['list']>
  /** Rejects with `not_found`. */
  find(id: string): Promise<ApiKey>
  /** At once and for good; a second time changes nothing. Rejects with `not_found`. */
  revoke(id: string): Promise<void>
  /** Whose key this is, revoked and expired ones included. */
  identify(key: string): Promise<ApiKey | undefined>
  /** Notes the use of a key in the background. */
  used(id: string): void
}

export interface ApiKeyDeps {
  readonly store: ApiKeyStore
  readonly log: Logger
  /** Told of every revoked key, once that is durable. */
  withdrawn(keyId: string): void
  /** Epoch milliseconds. */
  now(): number
  newId(nowMs: number): string
}

export function createApiKeys({ store, log, withdrawn, now, newId }: ApiKeyDeps): ApiKeys {
  const writtenAt = createRecentMap<number>(KEYS_REMEMBERED)
  const find = async (id: string): Promise<ApiKey> => {
    const apiKey = await store.find(id)
    if (!apiKey) throw unknownApiKey()
    return apiKey
  }
  return {
    find,
    async create(draft) {
      const createdAt = now()
      checkDraft(draft, createdAt)
      const key = PREFIX + randomBytes(SECRET_BYTES).toString('base64url')
      const parts = { prefix: key.slice(0, SHOWN_CHARS), hash: hashOf(key), createdAt }
      const apiKey = { id: newId(createdAt), ...limitsOf(draft), name: draft.name, ownerId: draft.ownerId, ...parts }
      await store.insert(apiKey)
      return { apiKey, key }
    },
    list: (filter) => store.list(filter),
    async revoke(id) {
      if (!(await store.revoke(id, now()))) await find(id)
      withdrawn(id)
    },
    async identify(key) {
      return isApiKey(key) ? store.findByHash(hashOf(key)) : undefined
    },
    used(id) {
      const at = now()
      if (at - (writtenAt.get(id) ?? -Infinity) < USE_MS) return
      writtenAt.set(id, at)
      store.touch(id, at).catch((thrown: unknown) => {
        log.warn({ key: id, error: messageOf(thrown) }, 'use of an API key could not be noted')
      })
    },
  }
}

export function unknownApiKey(): AppError {
  return new AppError('not_found', 'There is no such API key')
}

/** Those that were given. */
function limitsOf({ permissions, namespaces, addresses, expiresAt }: ApiKeyDraft) {
  return {
    ...(permissions ? { permissions } : {}),
    ...(namespaces ? { namespaces } : {}),
    ...(addresses ? { addresses } : {}),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** Whether it has the form of an API key. */
export function isApiKey(credential: string): boolean {
  return SHAPE.test(credential)
}

/** The store finds a key by this, never by comparing texts: how long that takes says nothing about the key. */
function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}

function checkDraft({ name, permissions, namespaces, addresses, expiresAt }: ApiKeyDraft, now: number): void {
  if (name.trim() === '' || name.length > NAME_CHARS_MAX || /\p{Cc}/u.test(name)) {
    refuse('name', `The name of an API key has 1 to ${NAME_CHARS_MAX} characters and no control characters`)
  }
  for (const [field, entries = []] of Object.entries({ permissions, namespaces, addresses })) {
    const isBounded = entries.length <= ENTRIES_MAX && entries.every((entry) => entry.length <= ENTRY_CHARS_MAX)
    if (!isBounded) refuse(field, `At most ${ENTRIES_MAX} ${field} of at most ${ENTRY_CHARS_MAX} characters`)
  }
  if (addresses) addressList(addresses)
  if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && expiresAt > now)) {
    refuse('expires_at', 'An API key expires in the future')
  }
}

function refuse(field: string, message: string): never {
  throw new ValidationError(message, { field })
}
