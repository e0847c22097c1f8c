import { httpText } from '../raw-socket.ts'

/** What a bad request may refer to. */
export interface Site {
  /** A session that is open. */
  readonly session: string
}

/** A request that must be refused, and how. */
export interface BadCase {
  readonly what: string
  bytes(site: Site): Buffer
  readonly status: number
  /** The JSON-RPC code; a text is the code of a REST body. */
  readonly code: number | string
  /** The id of the answer; null when absent. */
  readonly id?: string | number | null
}

export const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

type Headers = Readonly<Record<string, string | undefined>>

/** A POST of a legacy client. */
export function legacyPost(body: string | Buffer, headers: Headers = {}, path = '/mcp'): BadCase['bytes'] {
  return ({ session }) => httpText('POST', path, { ...JSON_HEADERS, 'mcp-session-id': session, ...headers }, body)
}

/** A request that a legacy client sends with id 7. */
export function legacyRequest(method: string, params: unknown): BadCase['bytes'] {
  return legacyPost(JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }))
}

export const MODERN = '2026-07-28'
const CLAIM = 'io.modelcontextprotocol/'
export const CLAIMS = {
  version: `${CLAIM}protocolVersion`,
  capabilities: `${CLAIM}clientCapabilities`,
  info: `${CLAIM}clientInfo`,
  logLevel: `${CLAIM}logLevel`,
} as const

export interface ModernParts {
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly meta?: Readonly<Record<string, unknown>>
  readonly headers?: Headers
}

/** A request of a modern client with id 7, right but for what is given. */
export function modernPost({ method = 'tools/list', params = {}, meta = {}, headers = {} }: ModernParts): Buffer {
  const _meta = { [CLAIMS.version]: MODERN, [CLAIMS.capabilities]: {}, ...meta }
  const name = params[method === 'resources/read' ? 'uri' : 'name']
  const mirrored = {
    'mcp-protocol-version': MODERN,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { _meta, ...params } })
  return httpText('POST', '/mcp', { ...JSON_HEADERS, ...mirrored, ...headers }, body)
}
