import type { Grant } from './granted-tokens.ts'

/** Who is calling, as far as a verified credential tells. */
export interface Principal {
  /** Stable over restarts and token refreshes; of an API key its owner's. */
  readonly id: string
  readonly username?: string
  readonly roles: readonly string[]
  readonly kind: 'user' | 'api-key' | 'local'
  readonly keyId?: string
  /** Of what the roles allow only this; absent without a narrowing. */
  readonly permissions?: readonly string[]
  /** Of all namespaces only these; absent without a narrowing. */
  readonly namespaces?: readonly string[]
  /** Of a client that acts for the user: what it was granted; absent for the user itself. */
  readonly grant?: Grant
}

/** Whether its credential is good for less than its owner may do. */
export function isNarrowed({ permissions, namespaces }: Principal): boolean {
  return permissions !== undefined || namespaces !== undefined
}

/** Whether what one began the other may go on with: the same owner by the same API key, by the same client, or himself. */
export function isSameCaller(one: Principal, other: Principal): boolean {
  return one.id === other.id && one.keyId === other.keyId && one.grant?.clientId === other.grant?.clientId
}

/** The caller without a credential, on a gateway that listens on loopback only. */
export function localPrincipal(role: string): Principal {
  return { id: 'local', roles: [role], kind: 'local' }
}

/** The same as long as nobody has said what it may do. */
export const LOCAL_PRINCIPAL: Principal = localPrincipal('admin')
