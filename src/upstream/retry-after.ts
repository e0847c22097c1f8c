type Headers = Readonly<Record<string, string | string[] | undefined>>

/** Seconds until a server that has no time now may be asked again; undefined where it does not say (RFC 9110, §10.2.3). */
export function retryAfterOf(status: number, headers: Headers, nowMs: number): number | undefined {
  const text = status === 429 || status === 503 ? headers['retry-after'] : undefined
  if (typeof text !== 'string') return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const at = /^[A-Z][a-z]{2}, .+ GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - nowMs) / 1000))
}
