import type { Logger } from '#kernel/logger'
import { createApiKeys, type ApiKeys, type ApiKeyStore } from './api-keys.ts'
import { createAuthenticator, type Authenticator } from './authenticate.ts'
import { ensureAdministrator, type FirstAdministrator } from './first-administrator.ts'
import { createGrantedTokens, type GrantedTokenDeps } from './granted-tokens.ts'
import type { SharedFailures } from './lockout.ts'
import { createLogins, type Logins, type LoginStore } from './logins.ts'
import { createPasswords, type Lane } from './passwords.ts'
import type { RefreshStore, RevocationStore } from './refresh-families.ts'
import { createTokenPairs, type TokenPairs } from './token-pairs.ts'
import { createTokens, type TokenDeps, type Tokens } from './tokens.ts'
import { createUsers, type Users, type UserStore } from './users.ts'

/** Where others change the store too, a check holds for this long. */
const RECHECK_MS = 1_000
/** Access tokens may be accepted so much longer where a clock is slow. */
const CLOCK_SKEW_MS = 60_000
const LOGINS_KEPT_MS = 90 * 86_400_000
const LOGINS_KEPT_MAX = 100_000

/** What identity keeps over restarts. */
export interface IdentityStores {
  readonly users: UserStore
  readonly logins: LoginStore
  readonly families: RefreshStore
  readonly revocations: RevocationStore
  readonly apiKeys: ApiKeyStore
}

export interface IdentityDeps {
  readonly stores: IdentityStores
  /** A bulkhead with `HASHING_LIMITS`. */
  readonly lane: Lane
  readonly access: Omit<TokenDeps, 'now' | 'newId'>
  /** How the tokens of clients are verified; absent where there is no authorization server. */
  readonly granted?: Pick<GrantedTokenDeps, 'key' | 'resources'> | undefined
  readonly refreshLifetimeMs: number
  /** What commands on this machine show; absent where there are none. */
  readonly localToken?: string | undefined
  /** Whether other processes write to the same stores. */
  readonly isShared: boolean
  /** Where gateways count failed logins together; absent for one that is alone. */
  readonly failures?: SharedFailures | undefined
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
  newId(nowMs: number): string
  /** Told what no credential may be accepted for any more; carries it to other replicas, who call `withdraw`. */
  withdrawn?(id: string): void
}

/** Who is calling, and all that people and programs prove it with. */
export interface Identity extends Authenticator {
  readonly users: Users
  readonly logins: Logins
  readonly pairs: TokenPairs
  readonly apiKeys: ApiKeys
  readonly jwks: Tokens['jwks']
  ensureAdministrator(who: Parameters<typeof ensureAdministrator>[1]): Promise<FirstAdministrator | undefined>
  /** Ends what a user granted to a client: its access tokens are refused once this resolves. */
  endGrant(family: string): Promise<void>
  /** Removes what has expired; to be called now and then. */
  prune(): Promise<void>
}

export function createIdentity(deps: IdentityDeps): Identity {
  const { stores, access, refreshLifetimeMs, localToken, isShared, failures, log, now, newId } = deps
  const withdrawn = (id: string): void => {
    authenticator.withdraw(id)
    deps.withdrawn?.(id)
  }
  const shared = { log, now, newId, withdrawn }
  const passwords = createPasswords(deps.lane)
  const tokens = createTokens({ ...access, now, newId })
  const users = createUsers({ ...shared, store: stores.users, passwords })
  const apiKeys = createApiKeys({ ...shared, store: stores.apiKeys })
  const recheckMs = isShared ? RECHECK_MS : Infinity
  const { lifetimeMs } = access
  const granted = deps.granted && createGrantedTokens({ ...deps.granted, lifetimeMs, now })
  const authenticator = createAuthenticator({ ...shared, ...stores, tokens, granted, apiKeys, localToken, recheckMs })
  return {
    ...authenticator,
    users,
    apiKeys,
    logins: createLogins({ ...shared, users: stores.users, store: stores.logins, passwords, failures }),
    pairs: createTokenPairs({ ...shared, ...stores, tokens, refreshLifetimeMs }),
    jwks: tokens.jwks,
    ensureAdministrator: (who) => ensureAdministrator(users, who),
    async endGrant(family) {
      await stores.revocations.add([{ id: family, expiresAt: now() + lifetimeMs + CLOCK_SKEW_MS }])
      withdrawn(family)
    },
    async prune() {
      await stores.revocations.prune(now())
      await stores.families.prune(now())
      await stores.logins.prune(now() - LOGINS_KEPT_MS, LOGINS_KEPT_MAX)
    },
  }
}
