import { type JSONWebKeySet, jwtVerify, type JWK, SignJWT } from 'jose'
import { messageOf, ValidationError } from '#kernel/errors'
import { unauthenticated } from './refusal.ts'
import type { SigningKey } from './signing-keys.ts'
import {
  type AccessClaims,
  claimsOf,
  headerOf,
  headerText,
  strictHeader,
  timeProblem,
  TOKEN_CHARS_MAX,
} from './strict-jws.ts'

const LIFETIME_MS = { min: 60_000, max: 24 * 3_600_000 } as const

interface AccessToken {
  readonly token: string
  readonly expiresInSeconds: number
}

/** Issues and verifies access tokens. Whether one was revoked or its user has changed is not this one's business. */
export interface Tokens {
  issue(subject: Pick<AccessClaims, 'sub' | 'epoch' | 'family'>): Promise<AccessToken>
  /** Rejects with `authentication_error`; its cause says what is wrong. Asks nobody outside. */
  verify(token: string): Promise<AccessClaims>
  /** The public keys that verify what is valid now; empty with a secret key. */
  jwks(): JSONWebKeySet
  readonly lifetimeMs: number
}

interface RetiredKey {
  readonly key: SigningKey
  /** Epoch milliseconds; it is accepted for as long as the last token that it signed lives. */
  readonly retiredAt: number
}

export interface TokenDeps {
  readonly issuer: string
  readonly audience: string
  readonly lifetimeMs: number
  readonly key: SigningKey
  readonly retired?: readonly RetiredKey[]
  /** Epoch milliseconds. */
  now(): number
  newId(nowMs: number): string
}

/** Throws a ValidationError for a lifetime under a minute or over a day. */
export function createTokens(deps: TokenDeps): Tokens {
  const { key, retired = [], issuer, audience, lifetimeMs, now, newId } = deps
  if (!(lifetimeMs >= LIFETIME_MS.min && lifetimeMs <= LIFETIME_MS.max)) {
    throw new ValidationError('An access token lives for a minute at least and a day at most')
  }
  const lifetimeSeconds = Math.floor(lifetimeMs / 1000)
  const accepted = (): SigningKey[] => [
    key,
    ...retired.filter(({ retiredAt }) => now() < retiredAt + lifetimeMs).map((each) => each.key),
  ]
  return {
    lifetimeMs,
    async issue(subject) {
      const iat = Math.floor(now() / 1000)
      const jti = newId(now())
      const claims = { iss: issuer, aud: audience, ...subject, jti, iat, exp: iat + lifetimeSeconds }
      const token = await new SignJWT({ ...claims }).setProtectedHeader(headerOf(key)).sign(key.signing)
      return { token, expiresInSeconds: lifetimeSeconds }
    },
    async verify(token) {
      if (token.length > TOKEN_CHARS_MAX) throw unauthenticated('the token is too long')
      const header = strictHeader(token)
      const signedBy = accepted().find((each) => headerText(each) === header)
      if (!signedBy) throw unauthenticated('the header is none that this gateway writes')
      const options = { issuer, audience, algorithms: [signedBy.algorithm], currentDate: new Date(now()) }
      const verified = await jwtVerify(token, signedBy.verifying, options).catch((thrown: unknown) => {
        throw unauthenticated(messageOf(thrown))
      })
      const claims = claimsOf(verified.payload)
      const problem = claims ? timeProblem(claims, lifetimeSeconds, now() / 1000) : 'a claim is missing or strange'
      if (!claims || problem !== undefined) throw unauthenticated(problem ?? '')
      return claims
    },
    jwks: () => ({ keys: accepted().flatMap(({ publicJwk }): JWK[] => (publicJwk ? [publicJwk] : [])) }),
  }
}
