import type { Authenticator } from './authenticate.ts'
import type { Principal } from './principal.ts'

/** The credential of an `Authorization: Bearer …`; undefined for no header, or for one of another kind (RFC 6750, 2.1). */
export function bearerOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +([^\s]+)$/i.exec(authorization)?.[1]
}

interface Callers {
  readonly identity: Pick<Authenticator, 'authenticate'>
  /** The caller without a credential, where there may be one. */
  readonly principal: Principal | undefined
}

/** Who has the credential of a request, or whoever comes without one; a wrong credential is nobody. At once when it was seen before. */
export function callerOf(
  { identity, principal }: Callers,
  authorization: string | undefined,
  address: string | undefined,
): Principal | Promise<Principal> {
  if (authorization === undefined && principal) return principal
  return identity.authenticate(bearerOf(authorization), { address })
}
