import type { Principal } from '#identity/principal'

/** Of everybody, as long as principals have no tenant of their own. */
const TENANT = 'default'

/** Whose chain a principal's deeds are in. */
export function tenantOf(_principal: Principal | undefined): string {
  return TENANT
}
