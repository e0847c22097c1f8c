import { Agent } from 'undici'
import type { buildConnector } from 'undici'
import { messageOf } from '#kernel/errors'
import { isJsonObject, objectAt, stringAt, type JsonObject, type JsonValue } from '#kernel/json'
import type { Logger } from '#kernel/logger'
import { GATEWAY_INFO, LEGACY_VERSIONS, META } from '#kernel/protocol'
import type { Connection } from '#registry/records'
import { askHttp, type HttpReply } from './ask-http.ts'
import { modernHeaders, ownClaim } from './codec.ts'
import { plainName, type DiscoverySource, type FoundServer } from './found-server.ts'

const PROBES_MAX = 1024
const PROBES_AT_ONCE = 16
const CONNECT_TIMEOUT_MS = 1000
const ANSWER_TIMEOUT_MS = 2000
const ROUND_TIMEOUT_MS = 55_000
const ANSWER_BYTES_MAX = 256 * 1024

export interface ProbeDeps {
  /** The rule for addresses: those it refuses are not asked. */
  admit(draft: { readonly connection: Connection }): Promise<unknown>
  guardedConnector(connectTimeoutMs: number): buildConnector.connector
  readonly log: Logger
  readonly connectTimeoutMs: number
}

type NetworkSource = Extract<DiscoverySource, { kind: 'network' }>

/** Asks each port of each host whether an MCP server answers there. Silence and foreign answers are no finds. */
export async function probeNetwork(
  source: NetworkSource,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<FoundServer[]> {
  const places = source.hosts.flatMap((host) => source.ports.map((port) => ({ host, port }))).slice(0, PROBES_MAX)
  const timeLimit = AbortSignal.timeout(ROUND_TIMEOUT_MS)
  const connect = deps.guardedConnector(Math.min(deps.connectTimeoutMs, CONNECT_TIMEOUT_MS))
  const agent = new Agent({ connect, headersTimeout: 0, bodyTimeout: 0 })
  const found: (FoundServer | undefined)[] = []
  const queue = places.entries()
  const worker = async (): Promise<void> => {
    for (const [at, { host, port }] of queue) {
      if (signal.aborted || timeLimit.aborted) return
      const url = `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}${source.path}`
      const suffix = source.hosts.length > 1 ? `${plainName(host)}-${port}` : String(port)
      found[at] = await probe(url, suffix, { ...deps, agent, signal: AbortSignal.any([signal, timeLimit]) })
    }
  }
  try {
    await Promise.all(Array.from({ length: PROBES_AT_ONCE }, worker))
  } finally {
    await agent.destroy()
  }
  if (timeLimit.aborted) deps.log.warn({ places: places.length }, 'network discovery ran out of time')
  return found.filter((each) => each !== undefined)
}

interface Probe extends ProbeDeps {
  readonly agent: Agent
  readonly signal: AbortSignal
}

async function probe(url: string, suffix: string, deps: Probe): Promise<FoundServer | undefined> {
  const connection: Connection = { kind: 'http', url, headers: {}, transport: 'streamable-http' }
  try {
    await deps.admit({ connection })
  } catch (error) {
    return { name: suffix, connection, refused: messageOf(error) }
  }
  try {
    const info = await serverInfo(new URL(url), deps)
    if (!info) return undefined
    const name = `${plainName(stringAt(info, 'name') ?? '')}-${suffix}`
    const isGateway = stringAt(info, 'name') === GATEWAY_INFO.name
    return { name, connection, ...(isGateway ? { refused: 'It is a MetaMCP gateway, perhaps this one' } : {}) }
  } catch (error) {
    deps.log.debug({ url, error: messageOf(error) }, 'no server found at this address')
    return undefined
  }
}

/** What a server calls itself, asked the modern way and then the legacy way. Rejects when nothing can be reached. */
async function serverInfo(url: URL, deps: Probe): Promise<JsonObject | undefined> {
  const discovered = await ask(url, deps, {
    method: 'server/discover',
    params: { _meta: ownClaim() },
    headers: modernHeaders('server/discover', undefined),
  })
  const modern = resultOf(discovered)
  if (Array.isArray(modern?.['supportedVersions'])) return objectAt(objectAt(modern, '_meta'), META.serverInfo) ?? {}
  const params = { protocolVersion: LEGACY_VERSIONS[0], capabilities: {}, clientInfo: { ...GATEWAY_INFO } }
  const initialized = await ask(url, deps, { method: 'initialize', params, headers: {} })
  const legacy = resultOf(initialized)
  if (initialized.sessionId !== undefined) await endSession(url, initialized.sessionId, deps)
  return stringAt(legacy, 'protocolVersion') === undefined ? undefined : (objectAt(legacy, 'serverInfo') ?? {})
}

interface Question {
  readonly method: string
  readonly params: JsonObject
  readonly headers: Readonly<Record<string, string>>
}

function ask(url: URL, { agent, signal }: Probe, { method, params, headers }: Question): Promise<HttpReply> {
  return askHttp(agent, {
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    bytesMax: ANSWER_BYTES_MAX,
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
  })
}

/** A probe leaves no session behind; a server that cannot end one has its own time limit. */
async function endSession(url: URL, sessionId: string, { agent, signal }: Probe): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])
  const headers = { 'mcp-session-id': sessionId }
  await askHttp(agent, { url, method: 'DELETE', headers, bytesMax: ANSWER_BYTES_MAX, signal: limit }).catch(
    () => undefined,
  )
}

function resultOf({ status, text }: HttpReply): JsonObject | undefined {
  if (status !== 200) return undefined
  const value = parsed(text)
  return isJsonObject(value) && value['jsonrpc'] === '2.0' ? objectAt(value, 'result') : undefined
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}
