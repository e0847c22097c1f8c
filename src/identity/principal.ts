/** Who is calling, as far as a verified credential tells. */
export interface Principal {
  /** Stable over restarts and token refreshes. */
  readonly id: string
  /** What the policy decides by. */
  readonly roles: readonly string[]
}

/** The caller without a credential, on a gateway that listens on loopback only. */
export function localPrincipal(role: string): Principal {
  return { id: 'local', roles: [role] }
}

/** The same as long as nobody has said what it may do. */
export const LOCAL_PRINCIPAL: Principal = localPrincipal('admin')
