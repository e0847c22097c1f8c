import type { OnReadOpts } from 'node:net'
import { buildConnector } from 'undici'
import { AppError } from '#kernel/errors'
import { EGRESS_REFUSED } from './egress.ts'
import { Http1Pool, type ConnectorMaker } from './http1-pool.ts'

const CALL_CONNECTIONS = 64

/** Shorter than what servers keep that do not say how long: a request on a connection that is just being closed is lost. */
const KEEP_ALIVE_MS = 4000

/** How connections are made: with a time limit alone, or judged one by one. */
export type ConnectOption = buildConnector.connector | { readonly timeout: number }

/** Makes a way to connect. Where it is told where to read into, a socket has no stream to read from. */
export type ConnectMaker = (read?: OnReadOpts) => ConnectOption

/** Connections to one origin: one set for calls, one for streams that stay open, so that listening never starves calling. */
export interface HttpClient {
  readonly calls: Http1Pool
  readonly streams: Http1Pool
  /** Path and query of the endpoint. */
  readonly path: string
  close(): void
}

export function createHttpClient(url: string, connect: ConnectMaker): HttpClient {
  const { origin, pathname, search, username, password } = new URL(url)
  if (username || password) throw new AppError('validation_error', 'A URL must not hold credentials; use headers')
  const connector: ConnectorMaker = (read) => {
    const option = connect(read)
    return typeof option === 'function' ? option : buildConnector({ ...option, ...(read && { onread: read }) })
  }
  const common = { origin, connector, keepAliveMs: KEEP_ALIVE_MS }
  const calls = new Http1Pool({ ...common, connectionsMax: CALL_CONNECTIONS })
  const streams = new Http1Pool({ ...common, connectionsMax: Infinity })
  return {
    calls,
    streams,
    path: `${pathname}${search}`,
    close() {
      calls.destroy()
      streams.destroy()
    },
  }
}

/** What a failed connection says to an operator. Never the driver's own text. */
export function connectFailure(error: Error): AppError {
  const code = errorCode(error)
  const reason = REASONS[code] ?? `The connection failed (${code})`
  return new AppError('upstream_unavailable', reason, { cause: error, details: { dispatched: isDispatched(code) } })
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens at this address (connection refused)',
  ENOTFOUND: 'The host name is unknown',
  EAI_AGAIN: 'The host name cannot be looked up now',
  UND_ERR_CONNECT_TIMEOUT: 'The server did not accept a connection in time',
  ETIMEDOUT: 'The server did not accept a connection in time',
  ECONNRESET: 'The server closed the connection in the middle of a message',
  UND_ERR_SOCKET: 'The server closed the connection in the middle of a message',
  EHOSTUNREACH: 'The host cannot be reached',
  [EGRESS_REFUSED]: 'The host leads into a private network (see META_MCP_EGRESS_ALLOW)',
  CERT_HAS_EXPIRED: 'The TLS certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The TLS certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The TLS certificate is signed by nobody we trust',
}

function errorCode(error: Error): string {
  const { code, cause } = error as NodeJS.ErrnoException
  if (code !== undefined) return code
  return cause instanceof Error ? errorCode(cause) : error.name
}

/** Whether the server may have seen the request: only a connection that never came about says no for certain. */
function isDispatched(code: string): boolean {
  return !NEVER_SENT.has(code)
}

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
  EGRESS_REFUSED,
])
