import { createHash } from 'node:crypto'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import type { Sealer } from '#kernel/seal'
import type { KeptOauthRecord, OauthStore } from './oauth-store.ts'

const DAY_MS = 86_400_000
/** A client that registered itself and is not used goes after a day; one that was used, after a season. */
const CLIENT_UNUSED_MS = DAY_MS
const CLIENT_USED_MS = 90 * DAY_MS
/** What records without an end of their own get. */
const OTHERS_MS = DAY_MS

export interface AdapterDeps {
  readonly store: OauthStore
  readonly sealer: Sealer
  /** How long a refresh token may lie unused. */
  readonly refreshLifetimeMs: number
  /** Epoch milliseconds. */
  now(): number
  /** Ends the access tokens of a grant, durably. */
  endGrant(grantId: string): Promise<void>
  /** What to say of a code or token that another request used at the same time. */
  usedUp(): Error
}

/** Puts what oidc-provider keeps into our storage: ids as hashes, everything else sealed. */
export function createAdapters(deps: AdapterDeps): AdapterFactory {
  return (kind) => createAdapter(kind, deps)
}

function createAdapter(kind: string, deps: AdapterDeps): Adapter {
  const { store, sealer, now } = deps
  const read = (record: KeptOauthRecord | undefined): AdapterPayload | undefined => {
    const text = record && sealer.open(`oauth ${kind} ${record.id}`, record.body)
    if (text === undefined) return undefined
    const { consumedAt } = record ?? {}
    const consumed = consumedAt === undefined ? {} : { consumed: Math.floor(consumedAt / 1000) }
    return { ...(JSON.parse(text) as AdapterPayload), ...consumed }
  }
  return {
    async upsert(name, payload, expiresInSeconds) {
      const id = hashOf(name)
      const { grantId, uid } = payload
      await store.put({
        kind,
        id,
        ...(grantId === undefined ? {} : { grantId: hashOf(grantId) }),
        ...(uid === undefined ? {} : { uid: hashOf(uid) }),
        body: sealer.seal(`oauth ${kind} ${id}`, JSON.stringify(payload)),
        expiresAt: now() + lifetimeMs(kind, expiresInSeconds, deps),
      })
      await prolong(kind, payload, deps)
    },
    find: async (name) => read(await store.find(kind, hashOf(name), now())),
    findByUid: async (uid) => read(await store.findByUid(kind, hashOf(uid), now())),
    // Only the device flow has user codes, and there is none here.
    findByUserCode: async () => undefined,
    async consume(name) {
      if (!(await store.consume(kind, hashOf(name), now()))) throw deps.usedUp()
    },
    destroy: (name) => store.delete(kind, hashOf(name)),
    async revokeByGrantId(grantId) {
      // Access tokens are not kept: what is kept of them is that they have ended.
      if (kind === 'AccessToken') await deps.endGrant(grantId)
      await store.deleteGrant(kind, hashOf(grantId))
    },
  }
}

function lifetimeMs(kind: string, seconds: number | undefined, { refreshLifetimeMs }: AdapterDeps): number {
  if (kind === 'Client') return CLIENT_UNUSED_MS
  // A grant may be good for a year; without a refresh token that keeps it alive it goes sooner.
  if (kind === 'Grant') return refreshLifetimeMs
  return seconds === undefined ? OTHERS_MS : seconds * 1000
}

/** What is used lives on: a client by each consent and refresh, a grant by each refresh. */
async function prolong(
  kind: string,
  payload: AdapterPayload,
  { store, now, refreshLifetimeMs }: AdapterDeps,
): Promise<void> {
  if (kind !== 'Grant' && kind !== 'RefreshToken') return
  const { clientId, grantId } = payload
  const usedUntil = now() + Math.max(CLIENT_USED_MS, refreshLifetimeMs)
  if (clientId !== undefined) await store.extend('Client', hashOf(clientId), usedUntil)
  if (grantId !== undefined) await store.extend('Grant', hashOf(grantId), now() + refreshLifetimeMs)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
