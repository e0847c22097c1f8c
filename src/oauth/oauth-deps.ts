import type { Identity } from '#identity/create-identity'
import type { Forwarding } from '#identity/forwarding'
import type { Resources } from '#identity/resources'
import type { SigningKey } from '#identity/signing-keys'
import type { AppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { Sealer } from '#kernel/seal'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { OauthStore } from './oauth-store.ts'
import type { OauthRecords } from './records.ts'

/** What the authorization server stands on. */
export interface OauthDeps {
  readonly identity: Pick<Identity, 'users' | 'logins' | 'endGrant'>
  readonly resources: Resources
  /** Signs the tokens of clients. */
  readonly key: SigningKey
  readonly store: OauthStore
  readonly sealer: Sealer
  /** At least 32 bytes; cookies are signed with a key of it. */
  readonly secret: Uint8Array
  readonly accessTokenMs: number
  readonly refreshTokenMs: number
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
  /** Whom requests come from. */
  readonly forwarding: Pick<Forwarding, 'addressOf'>
  /** Host and Origin check; asked before anything else of every request. */
  hostGuard(request: IncomingMessage): AppError | undefined
  /** Reads the document of a client elsewhere: from public addresses only, redirects not followed. */
  fetchDocument(url: string, signal: AbortSignal): Promise<Response>
  /** Counts logins, with those over REST. Throws or rejects with `rate_limited`. */
  readonly rates: { admit(kind: 'login', who: string, response: ServerResponse): void | Promise<void> }
  readonly records: OauthRecords
  /** Takes one of the few that an address may do in a while. */
  take(what: 'registration' | 'document', address: string | undefined): Verdict | Promise<Verdict>
}

interface Verdict {
  readonly isAllowed: boolean
  /** Epoch milliseconds: when there is more. */
  readonly resetAt: number
}
