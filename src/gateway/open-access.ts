import type { Principal } from '#identity/principal'
import { createPolicy, type Policy } from '#policy/policy'
import { openRoles, type RoleRegistry, type RoleStore } from '#policy/role-registry'
import { BUILT_IN_ROLES } from '#policy/roles'
import type { Catalog } from '#registry/registry-api'
import { createVisibleViews, type VisibleViews } from './visible-views.ts'

/** Who may do and see what: the same for every surface. */
export interface Access {
  readonly policy: Policy
  readonly roles: RoleRegistry
  readonly views: VisibleViews
  /** The caller without a credential. */
  readonly principal: Principal
}

interface OpenAccessDeps {
  readonly catalog: Catalog
  readonly store: RoleStore
  readonly principal: Principal
  /** Epoch milliseconds. */
  now(): number
  newId(): string
}

export async function openAccess({ catalog, store, principal, now, newId }: OpenAccessDeps): Promise<Access> {
  const policy = createPolicy(BUILT_IN_ROLES)
  const roles = await openRoles({ store, policy, now, newId })
  return { policy, roles, views: createVisibleViews(catalog, policy), principal }
}
