import { hash } from 'node:crypto'
import { AppError, messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { type AddressList, addressList } from './addresses.ts'
import { isApiKey, type ApiKey, type ApiKeys } from './api-keys.ts'
import type { GrantedTokens } from './granted-tokens.ts'
import type { Principal } from './principal.ts'
import { createRecentMap } from '#kernel/recent-map'
import type { RevocationStore } from './refresh-families.ts'
import { isLocalToken, isSameToken, LOCAL_COMMANDS } from './local-token.ts'
import { unauthenticated } from './refusal.ts'
import { permissionsOf } from './scopes.ts'
import { createStanding, type Standing } from './standing.ts'
import { type AccessClaims, TOKEN_CHARS_MAX } from './strict-jws.ts'
import type { Tokens } from './tokens.ts'
import type { User, UserStore } from './users.ts'

const VERIFIED_MAX = 10_000
const LOOPBACK = addressList(['127.0.0.0/8', '::1'])

/** Where a request comes from. */
interface Sender {
  readonly address?: string | undefined
}

export interface Authenticator extends Standing {
  /**
   * Who has this Bearer credential, an access token, an API key or the local token; at once when it was verified before. Rejects with
   * `authentication_error`, which does not tell what is wrong, and with `unavailable` while the storage does not answer.
   */
  authenticate(credential: string | undefined, sender: Sender): Principal | Promise<Principal>
  /** Forgets what was verified for a user, a family, a token or an API key: the next request is checked anew. */
  withdraw(id: string): void
}

export interface AuthenticatorDeps {
  readonly tokens: Tokens
  /** Tokens of clients; absent where there is no authorization server. */
  readonly granted?: GrantedTokens | undefined
  readonly apiKeys: Pick<ApiKeys, 'identify' | 'find' | 'used'>
  readonly users: Pick<UserStore, 'find'>
  readonly revocations: Pick<RevocationStore, 'has'>
  /** What commands on this machine show; absent where there are none. */
  readonly localToken?: string | undefined
  /** How long a check holds: forever where every change of the store passes through this process. */
  readonly recheckMs: number
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
}

/** A credential that was found good. */
interface Verified {
  readonly principal: Principal
  /** Of the user, the token, the family, the key: when one of them is withdrawn, this is forgotten. */
  readonly ids: readonly string[]
  readonly goodUntil: number
  /** Where it may come from; absent for anywhere. */
  readonly addresses?: AddressList | undefined
  /** Asks the stores anew. Rejects like `authenticate`. */
  readonly again: () => Promise<Verified>
}

export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { apiKeys, log, recheckMs, now } = deps
  const recent = createRecentMap<Verified>(VERIFIED_MAX)
  const { keep, withdrew, ...standing } = createStanding()
  let withdrawals = 0

  const verify = async (credential: string, key: string, sender: Sender): Promise<Principal> => {
    const before = withdrawals
    const checkedAt = now()
    const found = await verifierFor(credential, deps)(credential, deps)
    const verified = { ...found, goodUntil: Math.min(found.goodUntil, checkedAt + recheckMs) }
    if (!isFrom(verified, sender)) throw unauthenticated('it is not accepted from this address')
    // Whoever was withdrawn while the store was asked may have been read before.
    if (before === withdrawals) recent.set(key, verified)
    keep(verified)
    return admitted(verified)
  }
  const admitted = ({ principal }: Verified): Principal => {
    if (principal.keyId !== undefined) apiKeys.used(principal.keyId)
    return principal
  }
  const refused = (thrown: unknown, { address }: Sender): unknown => {
    if (thrown instanceof AppError && thrown.code === 'authentication_error') {
      log.info({ reason: messageOf(thrown.cause), address }, 'credential refused')
    }
    return thrown
  }
  return {
    ...standing,
    authenticate(credential, sender) {
      if (credential === undefined || credential === '') return Promise.reject(unauthenticated('there is none'))
      if (credential.length > TOKEN_CHARS_MAX) {
        return Promise.reject(refused(unauthenticated('the credential is too long'), sender))
      }
      const key = hash('sha256', credential, 'base64url')
      const known = recent.get(key)
      if (known && now() < known.goodUntil && isFrom(known, sender)) return admitted(known)
      return verify(credential, key, sender).catch((thrown: unknown) => {
        throw refused(thrown, sender)
      })
    },
    withdraw(id) {
      withdrawals += 1
      recent.deleteWhere(({ ids }) => ids.includes(id))
      withdrew(id)
    },
  }
}

function isFrom({ addresses }: Verified, { address }: Sender): boolean {
  return addresses === undefined || addresses.includes(address)
}

async function verifiedLocal(credential: string, { localToken }: AuthenticatorDeps): Promise<Verified> {
  if (localToken === undefined || !isSameToken(credential, localToken)) throw unauthenticated('no local token of ours')
  return localCommands()
}

function localCommands(): Verified {
  const again = async (): Promise<Verified> => localCommands()
  return { principal: LOCAL_COMMANDS, ids: [], goodUntil: Infinity, addresses: LOOPBACK, again }
}

type Verifier = (credential: string, deps: AuthenticatorDeps) => Promise<Verified>

function verifierFor(credential: string, { granted }: AuthenticatorDeps): Verifier {
  if (isApiKey(credential)) return verifiedKey
  if (isLocalToken(credential)) return verifiedLocal
  return granted?.isOne(credential) === true ? (token, deps) => verifiedGrant(token, granted, deps) : verifiedToken
}

async function verifiedToken(token: string, deps: AuthenticatorDeps): Promise<Verified> {
  return verifiedUser(await deps.tokens.verify(token), deps)
}

/** A client acts for the user: it may what the user may, and of that only what was granted. */
async function verifiedGrant(token: string, granted: GrantedTokens, deps: AuthenticatorDeps): Promise<Verified> {
  const { grant, ...claims } = await granted.verify(token)
  const { namespace } = grant.resource
  const narrowing = {
    permissions: permissionsOf(grant.scopes),
    ...(namespace === undefined ? {} : { namespaces: [namespace] }),
  }
  const again = async (): Promise<Verified> => {
    const verified = await verifiedUser(claims, deps)
    return { ...verified, principal: { ...verified.principal, ...narrowing, grant }, again }
  }
  return again()
}

async function verifiedUser(claims: AccessClaims, deps: AuthenticatorDeps): Promise<Verified> {
  const { sub, jti, family, epoch, exp } = claims
  const [user, isRevoked] = await Promise.all([deps.users.find(sub), deps.revocations.has([jti, family])])
  if (isRevoked) throw unauthenticated('the token is revoked')
  if (!user?.isActive) throw unauthenticated('the user is gone or inactive')
  if (user.tokenEpoch !== epoch) throw unauthenticated('the token is of another epoch')
  const again = (): Promise<Verified> => verifiedUser(claims, deps)
  return { principal: { ...personOf(user), kind: 'user' }, ids: [user.id, jti, family], goodUntil: exp * 1000, again }
}

async function verifiedKey(text: string, deps: AuthenticatorDeps): Promise<Verified> {
  const apiKey = await deps.apiKeys.identify(text)
  if (!apiKey) throw unauthenticated('no API key of ours')
  return verifiedOwner(apiKey, deps)
}

async function verifiedKeyAgain(id: string, deps: AuthenticatorDeps): Promise<Verified> {
  const apiKey = await deps.apiKeys.find(id).catch((thrown: unknown) => {
    if (thrown instanceof AppError && thrown.code === 'not_found') throw unauthenticated('the API key is gone')
    throw thrown
  })
  return verifiedOwner(apiKey, deps)
}

async function verifiedOwner(apiKey: ApiKey, deps: AuthenticatorDeps): Promise<Verified> {
  const { users, now } = deps
  if (apiKey.revokedAt !== undefined) throw unauthenticated('the API key is revoked')
  const goodUntil = apiKey.expiresAt ?? Infinity
  if (goodUntil <= now()) throw unauthenticated('the API key has expired')
  const owner = await users.find(apiKey.ownerId)
  if (!owner?.isActive) throw unauthenticated('the owner of the API key is gone or inactive')
  const { permissions, namespaces, addresses } = apiKey
  const narrowing = { ...(permissions ? { permissions } : {}), ...(namespaces ? { namespaces } : {}) }
  return {
    principal: { ...personOf(owner), kind: 'api-key', keyId: apiKey.id, ...narrowing },
    ids: [owner.id, apiKey.id],
    goodUntil,
    addresses: addresses && addressList(addresses),
    again: () => verifiedKeyAgain(apiKey.id, deps),
  }
}

function personOf({ id, username, roles }: User): Pick<Principal, 'id' | 'username' | 'roles'> {
  return { id, username, roles }
}
