import { unauthenticated } from './refusal.ts'
import type { SigningKey } from './signing-keys.ts'

/** RFC 9068: tells an access token from every other JWT. */
const TYP = 'at+jwt'
export const TOKEN_CHARS_MAX = 8192
/** How far the clocks of two replicas may be apart. */
const CLOCK_SKEW_SECONDS = 5
const ID_CHARS_MAX = 64

/** What every access token of ours says, whoever it is for. */
export interface AccessClaims {
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
  /** What it dies with: a refresh family, or what a user granted to a client. */
  readonly family: string
}

/** The header of each access token that the key signs. */
export function headerOf({ algorithm, kid }: SigningKey) {
  return { alg: algorithm, typ: TYP, kid }
}

/**
 * Only this gateway signs access tokens, so a header has one spelling for each key. Comparing that refuses at once what
 * headers are abused for: another or no algorithm, keys and addresses of keys, unknown kids, `crit`, duplicate members.
 */
export function headerText(key: SigningKey): string {
  return Buffer.from(JSON.stringify(headerOf(key))).toString('base64url')
}

/** The header of a token whose payload and signature are written as we write them. Throws `authentication_error`. */
export function strictHeader(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  if (!isOurJson(payload) || !isBase64url(signature)) throw unauthenticated('no token of ours')
  return header
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

/** What is left to check: jose takes an audience among several, fractions of seconds, and tokens without an end. */
export function claimsOf(payload: Readonly<Record<string, unknown>>): AccessClaims | undefined {
  const { iss, aud, sub, jti, iat, exp, nbf, epoch, family } = payload
  if (![iss, aud, sub, jti, family].every((text) => typeof text === 'string' && text !== '')) return undefined
  if (![sub, jti, family].every((id) => (id as string).length <= ID_CHARS_MAX)) return undefined
  if (![iat, exp, epoch].every((number) => Number.isSafeInteger(number) && Number(number) >= 0)) return undefined
  if (nbf !== undefined) return undefined
  return { iss, aud, sub, jti, iat, exp, epoch, family } as AccessClaims
}

/** Why the token is not good at this time; undefined when it is. */
export function timeProblem(
  { iat, exp }: AccessClaims,
  lifetimeSeconds: number,
  nowSeconds: number,
): string | undefined {
  if (iat > nowSeconds + CLOCK_SKEW_SECONDS) return 'it is issued in the future'
  if (exp - iat > lifetimeSeconds) return 'it lives longer than tokens may'
  if (exp <= nowSeconds) return 'it has expired'
  return undefined
}
