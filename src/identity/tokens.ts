import { type JSONWebKeySet, jwtVerify, type JWK, SignJWT } from 'jose'
import { messageOf, ValidationError } from '#kernel/errors'
import { unauthenticated } from './refusal.ts'
import type { SigningKey } from './signing-keys.ts'

/** RFC 9068: tells an access token from every other JWT. */
const TYP = 'at+jwt'
export const TOKEN_CHARS_MAX = 8192
const LIFETIME_MS = { min: 60_000, max: 24 * 3_600_000 } as const
/** How far the clocks of two replicas may be apart. */
const CLOCK_SKEW_SECONDS = 5
const ID_CHARS_MAX = 64

/** What an access token says. */
interface AccessClaims {
  readonly iss: string
  readonly aud: string
  /** The user's id. */
  readonly sub: string
  readonly jti: string
  /** Epoch seconds. */
  readonly iat: number
  readonly exp: number
  /** The user's token epoch when it was issued. */
  readonly epoch: number
  /** The refresh family that it belongs to. */
  readonly family: string
}

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
      const [header = '', payload = '', signature = ''] = token.split('.')
      if (!isOurJson(payload) || !isBase64url(signature)) throw unauthenticated('no token of ours')
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

function headerOf({ algorithm, kid }: SigningKey) {
  return { alg: algorithm, typ: TYP, kid }
}

/**
 * Only this gateway signs access tokens, so a header has one spelling for each key. Comparing that refuses at once what
 * headers are abused for: another or no algorithm, keys and addresses of keys, unknown kids, `crit`, duplicate members.
 */
function headerText(key: SigningKey): string {
  return Buffer.from(JSON.stringify(headerOf(key))).toString('base64url')
}

/** Node reads base64url leniently: the same bytes have many spellings, and one of them is ours. */
function isBase64url(text: string): boolean {
  return text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text
}

/** JSON as JSON.stringify writes it: with no member twice and no number in another spelling. */
function isOurJson(part: string): boolean {
  if (!isBase64url(part)) return false
  const text = Buffer.from(part, 'base64url').toString('utf8')
  try {
    return JSON.stringify(JSON.parse(text)) === text
  } catch {
    return false
  }
}

/** jose takes an audience among several, fractions of seconds, and tokens without an end. */
function claimsOf(payload: Readonly<Record<string, unknown>>): AccessClaims | undefined {
  const { iss, aud, sub, jti, iat, exp, nbf, epoch, family } = payload
  if (![iss, aud, sub, jti, family].every((text) => typeof text === 'string' && text !== '')) return undefined
  if (![sub, jti, family].every((id) => (id as string).length <= ID_CHARS_MAX)) return undefined
  if (![iat, exp, epoch].every((number) => Number.isSafeInteger(number) && Number(number) >= 0)) return undefined
  if (nbf !== undefined) return undefined
  return { iss, aud, sub, jti, iat, exp, epoch, family } as AccessClaims
}

function timeProblem({ iat, exp }: AccessClaims, lifetimeSeconds: number, nowSeconds: number): string | undefined {
  if (iat > nowSeconds + CLOCK_SKEW_SECONDS) return 'it is issued in the future'
  if (exp - iat > lifetimeSeconds) return 'it lives longer than tokens may'
  if (exp <= nowSeconds) return 'it has expired'
  return undefined
}
