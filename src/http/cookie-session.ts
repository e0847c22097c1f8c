import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { decodeJwt } from 'jose'
import type { Identity } from '#identity/create-identity'
import { AppError } from '#kernel/errors'

/** The prefix binds it to this host, the whole of it, over HTTPS or on loopback: no other one can plant it. */
const NAME = '__Host-metamcp'
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict'
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The header that gives a browser its session; without a token the one that ends it. */
export function sessionCookie(token = '', maxAgeSeconds = 0): string {
  return `${NAME}=${token}; ${ATTRIBUTES}; Max-Age=${maxAgeSeconds}`
}

/** The token of the session that a browser shows. */
export function sessionTokenOf({ cookie = '' }: IncomingHttpHeaders): string | undefined {
  return /(?:^|; ?)__Host-metamcp=([\w.-]+)(?:;|$)/.exec(cookie)?.[1]
}

/**
 * What a page of ours knows and no other can find out: it comes of the token, which no script can read. It is another one after each
 * login and stays when the token is renewed, so that what other tabs know is still good.
 */
export function csrfTokenOf(sessionToken: string): string {
  return hash('sha256', `csrf ${familyOf(sessionToken) ?? sessionToken}`, 'base64url')
}

/** Of a token that may still turn out to be no good. */
function familyOf(sessionToken: string): string | undefined {
  try {
    return decodeJwt<{ readonly family?: string }>(sessionToken).family
  } catch {
    return undefined
  }
}

/**
 * The `Authorization` that counts: the request's own, else its session's. Throws `forbidden` when a request that changes
 * something shows a session and not that a page of ours sent it.
 */
export function authorizationOf(method: string, headers: IncomingHttpHeaders): string | undefined {
  const token = headers.authorization === undefined ? sessionTokenOf(headers) : undefined
  if (token === undefined) return headers.authorization
  if (!SAFE_METHODS.has(method) && !isSame(headers['x-csrf-token'], csrfTokenOf(token)))
    throw new AppError('forbidden', 'The X-CSRF-Token of this session is missing or wrong')
  return `Bearer ${token}`
}

/** The cookie with which a session that is in use goes on; undefined where there is none, or no need. */
export async function extendedCookie(identity: Pick<Identity, 'pairs'>, headers: IncomingHttpHeaders) {
  const token = headers.authorization === undefined ? sessionTokenOf(headers) : undefined
  const next = token === undefined ? undefined : await identity.pairs.extend(token)
  return next && sessionCookie(next.accessToken, next.expiresInSeconds)
}

function isSame(given: string | string[] | undefined, wanted: string): boolean {
  const [one, other] = [Buffer.from(String(given)), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}
