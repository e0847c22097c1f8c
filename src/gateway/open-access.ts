import { HASHING_LIMITS, type Lane } from '#identity/passwords'
import { createIdentity, type Identity, type IdentityStores } from '#identity/create-identity'
import { grantedTokenKey } from '#identity/granted-tokens'
import { newLocalToken } from '#identity/local-token'
import { localPrincipal, type Principal } from '#identity/principal'
import type { SharedFailures } from '#identity/lockout'
import type { Resources } from '#identity/resources'
import { signingRing, type SigningKey, type SigningMaterial } from '#identity/signing-keys'
import { NO_BROADCAST, type Broadcast } from '#kernel/broadcast'
import type { Logger } from '#kernel/logger'
import { createPolicy, type Policy } from '#policy/policy'
import { openRoles, type RoleRegistry, type RoleStore } from '#policy/role-registry'
import { BUILT_IN_ROLES } from '#policy/roles'
import type { Catalog } from '#registry/registry-api'
import { createBulkhead } from '#resilience/bulkhead'
import { firstStart, type FirstStart } from './first-start.ts'
import { accessNews } from './keep-access.ts'
import { createVisibleViews, type VisibleViews } from './visible-views.ts'

/** Who is calling, and what he may do and see: the same for every surface. */
export interface Access {
  readonly identity: Identity
  readonly policy: Policy
  readonly roles: RoleRegistry
  readonly views: VisibleViews
  /** The caller without a credential, where there may be one. */
  readonly principal: Principal | undefined
  /** What commands on this machine show, as long as this process runs. */
  readonly localToken: string
  /** Makes the first administrator and a key, where there is no user at all. */
  firstStart(): Promise<FirstStart | undefined>
  /** The MCP endpoints as clients name them. */
  readonly resources: Resources
  /** Signs what users grant to clients. */
  readonly grantKey: SigningKey
}

interface OpenAccessDeps {
  readonly catalog: Catalog
  readonly stores: {
    readonly roles: RoleStore
    readonly identity: IdentityStores
    readonly kind: 'sqlite' | 'postgres'
    /** What all gateways on these stores are together; made of `proposed` where nothing is kept. */
    deployment(proposed: string): Promise<string>
  }
  readonly secret: Uint8Array
  /** What signs access tokens; HS256 with the secret when absent. */
  readonly signing?: SigningMaterial
  readonly settings: AccessSettings
  /** To other gateways; absent for one that is alone. */
  readonly broadcast?: Broadcast
  /** Failed logins, counted with other gateways. */
  readonly failures?: SharedFailures | undefined
  readonly resources: Resources
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
  newId(): string
}

/** What an operator says about access. */
interface AccessSettings {
  /** Undefined: nobody comes without a credential. */
  readonly anonymousRole: string | undefined
  readonly accessTokenMs: number
  readonly refreshTokenMs: number
  /** Who is made when there is no user at all. */
  readonly administrator: Parameters<typeof firstStart>[1]
}

export async function openAccess(deps: OpenAccessDeps): Promise<Access> {
  const { catalog, stores, secret, settings, resources, log, now, newId } = deps
  const policy = createPolicy(BUILT_IN_ROLES)
  const news = accessNews(deps.broadcast ?? NO_BROADCAST)
  const roles = await openRoles({ store: stores.roles, policy, changed: news.rolesChanged, now, newId })
  const localToken = newLocalToken()
  const lane: Lane = createBulkhead(HASHING_LIMITS)
  const deployment = `urn:metamcp:${await stores.deployment(newId())}`
  const ring = await signingRing(deps.signing ?? { algorithm: 'HS256', secrets: [secret], pems: [] })
  const grantKey = await grantedTokenKey(secret)
  const identity = createIdentity({
    stores: stores.identity,
    lane,
    access: {
      issuer: deployment,
      audience: deployment,
      lifetimeMs: settings.accessTokenMs,
      key: ring.key,
      // A key that does not sign any more is good until the last token that it can have signed ends.
      retired: ring.previous.map((key) => ({ key, retiredAt: now() })),
    },
    granted: { key: grantKey, resources },
    refreshLifetimeMs: settings.refreshTokenMs,
    localToken,
    isShared: stores.kind === 'postgres',
    failures: deps.failures,
    log,
    now,
    newId,
    withdrawn: news.withdrawn,
  })
  await identity.prune()
  const { anonymousRole, administrator } = settings
  return {
    identity,
    policy,
    roles,
    views: createVisibleViews(catalog, policy),
    principal: anonymousRole === undefined ? undefined : localPrincipal(anonymousRole),
    resources,
    grantKey,
    localToken,
    firstStart: () => firstStart(identity, administrator),
  }
}
