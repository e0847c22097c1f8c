import { ServerResponse, type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http'
import type { Allowance } from '#gateway/rate-limits'

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]

/** Says in its head what its caller may still ask for. With `setHeader` each of the three would be looked at twice. */
export class RatedResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  allowance?: Allowance | undefined

  override writeHead(status: number, reason?: string, headers?: Headers): this
  override writeHead(status: number, headers?: Headers): this
  override writeHead(status: number, first?: string | Headers, second?: Headers): this {
    const headers = typeof first === 'string' ? second : first
    const rated = this.allowance ? withAllowance(this.allowance, headers) : headers
    return typeof first === 'string' ? super.writeHead(status, first, rated) : super.writeHead(status, rated)
  }
}

function withAllowance(allowance: Allowance, headers: Headers | undefined): Headers {
  const own = allowanceHeaders(allowance)
  return Array.isArray(headers) ? [...headers, ...Object.entries(own).flat()] : { ...headers, ...own }
}

/** What is left, as headers. */
export function allowanceHeaders({ limit, remaining, resetAt }: Allowance): Record<string, number> {
  return {
    'X-RateLimit-Limit': limit,
    'X-RateLimit-Remaining': remaining,
    'X-RateLimit-Reset': Math.ceil(resetAt / 1000),
  }
}
