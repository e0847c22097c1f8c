import type { IncomingHeaders } from './http-exchange.ts'

/** Seconds until a server that has no time now may be asked again; undefined where it does not say (RFC 9110, §10.2.3). */
export function retryAfterOf(status: number, headers: IncomingHeaders, nowMs: number): number | undefined {
  const text = status === 429 || status === 503 ? headers['retry-after'] : undefined
  if (typeof text !== 'string') return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const at = /^[A-Z][a-z]{2}, .+ GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - nowMs) / 1000))
}

/** The same, for who reads it. */
export function waitWords(retryAfter: number | undefined): string {
  return retryAfter === undefined ? '' : ` and asks to wait ${retryAfter} s`
}

/** The same, for those who try again. */
export function waitDetails(retryAfter: number | undefined): { retry_after?: number } {
  return retryAfter === undefined ? {} : { retry_after: retryAfter }
}
