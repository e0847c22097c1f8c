/** Who is calling, as far as a verified credential tells. */
export interface Principal {
  /** Stable over restarts and token refreshes. */
  readonly id: string
}

/** The caller on a gateway that listens on loopback only and asks for no credential. */
export const LOCAL_PRINCIPAL: Principal = { id: 'local' }
