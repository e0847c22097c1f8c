import type { AppError } from '#kernel/errors'
import type { HttpRequest, HttpResponse } from '#mcp/http-exchange'

const METHODS = 'GET, POST, PUT, PATCH, DELETE'
const HEADERS = new Set([
  'accept',
  'authorization',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'traceparent',
  'tracestate',
  'x-csrf-token',
  'x-request-id',
])
/** Which of these there are is up to the tools. */
const PARAM_HEADER = /^mcp-param-[\w-]{1,200}$/
const SHOWN =
  'Mcp-Session-Id, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id'
const KEPT_SECONDS = 600

export interface CorsDeps {
  /** Whole origins; no others may read anything, and none sends cookies. */
  readonly allowedOrigins: readonly string[]
  hostGuard(request: HttpRequest): AppError | undefined
}

/** Lets pages of the listed origins read answers. Answers whether it has answered the request: a browser's question beforehand. */
export type Cors = (request: HttpRequest, response: HttpResponse) => boolean

export function createCors({ allowedOrigins, hostGuard }: CorsDeps): Cors {
  const origins = new Set(allowedOrigins)
  return function answerCors(request, response) {
    const { origin, 'access-control-request-headers': wanted = '' } = request.headers
    if (origin === undefined && origins.size === 0) return false
    response.setHeader('Vary', 'Origin')
    if (origin === undefined || !origins.has(origin) || hostGuard(request)) return false
    response.setHeader('Access-Control-Allow-Origin', origin)
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      response.setHeader('Access-Control-Expose-Headers', SHOWN)
      return false
    }
    response.writeHead(204, {
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': allowedHeaders(wanted).join(', '),
      'Access-Control-Max-Age': KEPT_SECONDS,
    })
    response.end()
    return true
  }
}

function allowedHeaders(wanted: string): string[] {
  const names = wanted
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  return names.filter((name) => HEADERS.has(name) || PARAM_HEADER.test(name))
}
