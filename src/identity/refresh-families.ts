/** All refresh tokens that came of one login: one after the other, of which the last is good. */
export interface RefreshFamily {
  /** The hash of what its tokens have in common. */
  readonly id: string
  readonly userId: string
  /** The user's token epoch at the login. */
  readonly epoch: number
  /** SHA-256 of the one token that is good. */
  readonly tokenHash: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly renewedAt: number
  readonly expiresAt: number
}

/** Keeps refresh families over restarts. One that was deleted is dead: nothing brings it back. */
export interface RefreshStore {
  insert(family: RefreshFamily): Promise<void>
  find(id: string): Promise<RefreshFamily | undefined>
  /** Replaces the family of the same id if its token is still the one of `tokenHash`: of two at once exactly one succeeds. */
  replace(tokenHash: string, family: RefreshFamily): Promise<boolean>
  delete(id: string): Promise<void>
  /** Removes what expired before `now`; answers how many. */
  prune(now: number): Promise<number>
}

/** An access token or a whole family that must not be accepted any more, though it has not expired. */
interface Revocation {
  /** A `jti` or the id of a family. */
  readonly id: string
  /** Epoch milliseconds: from then on it would be refused anyway. */
  readonly expiresAt: number
}

/** Keeps revocations over restarts, and for all replicas on one database. */
export interface RevocationStore {
  /** Adds all or none; one that is there already stays. */
  add(revocations: readonly Revocation[]): Promise<void>
  /** Whether one of them is revoked. */
  has(ids: readonly string[]): Promise<boolean>
  /** Removes what expired before `now`; answers how many. */
  prune(now: number): Promise<number>
}
