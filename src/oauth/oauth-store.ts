/** Something the authorization server keeps for a while: a client, a code, a consent, a session of a browser. */
export interface OauthRecord {
  /** As the server names it: `Client`, `AuthorizationCode`, `RefreshToken`, … */
  readonly kind: string
  /** With the kind unique. What is secret is here only as its hash. */
  readonly id: string
  /** What a user granted to a client: many records come and go with it. */
  readonly grantId?: string
  /** A second name, of sessions. */
  readonly uid?: string
  /** Sealed. */
  readonly body: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** A record with the time at which it was used up, if it was. */
export interface KeptOauthRecord extends OauthRecord {
  readonly consumedAt?: number
}

/** Keeps records over restarts, for all replicas on one database. What has expired by `now` is not found any more. */
export interface OauthStore {
  /** Replaces a record of the same kind and id; one that was used up stays so. */
  put(record: OauthRecord): Promise<void>
  find(kind: string, id: string, now: number): Promise<KeptOauthRecord | undefined>
  findByUid(kind: string, uid: string, now: number): Promise<KeptOauthRecord | undefined>
  /** Uses the record up. False when it was used up before, or is not there: of two at once exactly one succeeds. */
  consume(kind: string, id: string, at: number): Promise<boolean>
  /** Lets the record live at least until then. */
  extend(kind: string, id: string, expiresAt: number): Promise<void>
  delete(kind: string, id: string): Promise<void>
  deleteGrant(kind: string, grantId: string): Promise<void>
  count(kind: string): Promise<number>
  /** Removes what expired before `now`; answers how many. */
  prune(now: number): Promise<number>
}
