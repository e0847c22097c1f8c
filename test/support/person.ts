import type { Principal } from '#identity/principal'

/** A principal that a test speaks of. */
export function person(id: string, roles: readonly string[] = ['user']): Principal {
  return { id, roles, kind: 'user' }
}
