/** Words of the Model Context Protocol that more than one room needs. */

export const MODERN_VERSION = '2026-07-28'
/** Newest first. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07']

/** Members of `_meta` that make a request complete in itself (2026-07-28). */
export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
  /** Ours: the ids of the gateway that answers and of all that it reaches. */
  gateways: 'metamcp/gateways',
  /** Ours: the result is of another tool than the one that was called. */
  fallback: 'metamcp/fallback',
  /** Ours: a result that was got for another call, how old it is and whether its time was over. */
  cached: 'metamcp/cached',
} as const

export const GATEWAY_INFO = { name: 'metamcp', title: 'MetaMCP', version: '0.1.0' } as const
export const GATEWAY_INFO_TEXT: string = JSON.stringify(GATEWAY_INFO)

/** Severities of log messages, least first (RFC 5424). */
export const LOG_LEVELS: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]

/** Whether a message of `level` is wanted by somebody who asked for `least` and above. */
export function isLogged(level: unknown, least: string | undefined): boolean {
  return least !== undefined && LOG_LEVELS.indexOf(String(level)) >= LOG_LEVELS.indexOf(least)
}
