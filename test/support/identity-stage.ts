import type { KeyObject } from 'node:crypto'
import { createIdentity, type Identity, type IdentityDeps } from '#identity/create-identity'
import { HASHING_LIMITS } from '#identity/passwords'
import { signingKeyOf, type SigningKey } from '#identity/signing-keys'
import { uuidv7 } from '#kernel/ids'
import type { LogFields, Logger } from '#kernel/logger'
import { createBulkhead } from '#resilience/bulkhead'
import { openStorage, type Storage } from '#storage/open-storage'

export const NOON = 1_800_000_000_000
export const MINUTE = 60_000
export const PASSWORD = 'correct horse battery'
export const SECRET = Buffer.from('k9Zq-4vXw2Lm7Tb1Yc6Rd8Pf3Hs5Ja0Ne'.repeat(2))

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** The log as a test reads it. */
export interface LogLine extends LogFields {
  readonly phrase: string
}

export interface IdentityStage extends AsyncDisposable {
  readonly identity: Identity
  readonly storage: Storage
  readonly key: SigningKey & { readonly signing: KeyObject }
  readonly log: readonly LogLine[]
  /** What was withdrawn, in order. */
  readonly withdrawn: readonly string[]
  /** Lets time pass. */
  pass(ms: number): void
  now(): number
  /** Another gateway on the same storage. */
  another(changes?: Partial<IdentityDeps>): Identity
}

/** Identity on an empty SQLite database in memory, at noon. */
export async function identityStage(changes: Partial<IdentityDeps> = {}): Promise<IdentityStage> {
  const key = await signingKeyOf({ algorithm: 'HS256', secret: SECRET })
  let at = NOON
  const log: LogLine[] = []
  const withdrawn: string[] = []
  const note = (fields: LogFields, phrase: string): void => void log.push({ ...fields, phrase })
  const logger: Logger = { debug: note, info: note, warn: note, error: note }
  const storage = await openStorage({ kind: 'sqlite', path: ':memory:' }, { log: SILENT, now: () => at })
  const deps: IdentityDeps = {
    stores: storage.identity,
    // A busy machine may hash slowly; no test is about how long one waits.
    lane: createBulkhead({ ...HASHING_LIMITS, waitMsMax: 10 * MINUTE }),
    access: { issuer: 'https://gateway.test', audience: 'https://gateway.test/mcp', lifetimeMs: 30 * MINUTE, key },
    refreshLifetimeMs: 14 * 86_400_000,
    isShared: false,
    log: logger,
    now: () => at,
    newId: uuidv7,
    withdrawn: (id) => void withdrawn.push(id),
    ...changes,
  }
  return {
    identity: createIdentity(deps),
    storage,
    key,
    log,
    withdrawn,
    pass: (ms) => void (at += ms),
    now: () => at,
    another: (more = {}) => createIdentity({ ...deps, ...more }),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}
