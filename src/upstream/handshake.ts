import { AppError, UpstreamRpcError } from '#kernel/errors'
import { isJsonObject, objectAt, stringAt, type JsonObject } from '#kernel/json'
import { memberText } from '#kernel/json-text'
import { GATEWAY_ID } from '#kernel/gateway-id'
import { GATEWAY_INFO, LEGACY_VERSIONS, META, MODERN_VERSION } from '#kernel/protocol'
import { modernHeaders, ownClaim } from './codec.ts'
import type { Agreement, SessionResult, UpstreamSession } from './session.ts'

/**
 * What we say we can do on behalf of all our clients: a server shows some tools only to clients that could answer it.
 * A question that the caller of the moment cannot answer is refused then.
 */
const LEGACY_CAPABILITIES = {
  roots: { listChanged: true },
  sampling: { tools: {}, context: {} },
  elicitation: { form: {}, url: {} },
}

/** The legacy handshake (2025-11-25, basic/lifecycle). */
export async function initialize(session: UpstreamSession, signal: AbortSignal): Promise<Agreement> {
  const [protocolVersion] = LEGACY_VERSIONS
  const params = JSON.stringify({ protocolVersion, capabilities: LEGACY_CAPABILITIES, clientInfo: GATEWAY_INFO })
  const result = await session.request({ method: 'initialize', params: () => params, signal })
  const version = stringAt(result.value, 'protocolVersion')
  if (version === undefined || !LEGACY_VERSIONS.includes(version)) {
    throw new AppError(
      'upstream_protocol_error',
      `${session.server} speaks protocol version ${version ?? '(none)'}, which we do not`,
    )
  }
  const agreement = agreementOf('legacy', version, result, memberText(result.text, 'serverInfo'))
  session.agree(agreement)
  // Over HTTP a list that overtakes it comes without what servers add once they know their client.
  await session.announce('notifications/initialized')
  session.transport.opened?.(version, { listen: true })
  return agreement
}

/** Asks a server what it is (2026-07-28, `server/discover`). Undefined when its answer is none of a modern server. */
export async function discover(session: UpstreamSession, signal: AbortSignal): Promise<Agreement | undefined> {
  const result = await askDiscover(session, signal)
  const supported = result.value['supportedVersions']
  if (!Array.isArray(supported)) return undefined
  if (!supported.includes(MODERN_VERSION)) {
    throw new AppError(
      'upstream_protocol_error',
      `${session.server} speaks only ${supported.join(', ')}, which we do not`,
    )
  }
  const meta = memberText(result.text, '_meta')
  const info =
    isJsonObject(objectAt(result.value, '_meta')?.[META.serverInfo]) && meta
      ? memberText(meta, META.serverInfo)
      : undefined
  const agreement = agreementOf('modern', MODERN_VERSION, result, info)
  session.agree(agreement)
  session.transport.opened?.(MODERN_VERSION, { listen: false })
  return agreement
}

async function askDiscover(session: UpstreamSession, signal: AbortSignal): Promise<SessionResult> {
  const ask = (): Promise<SessionResult> =>
    session.request({
      method: 'server/discover',
      params: () => JSON.stringify({ _meta: ownClaim() }),
      headers: modernHeaders('server/discover', undefined),
      signal,
    })
  try {
    return await ask()
  } catch (error) {
    // "Not this version, but that one" although that one is what we said: once more is worth a round trip.
    if (error instanceof UpstreamRpcError && supportsModern(error)) return ask()
    throw error
  }
}

/** Whether a refusal is UnsupportedProtocolVersion (-32022) with our version among the supported ones. */
function supportsModern(error: UpstreamRpcError): boolean {
  const supported = objectAt(JSON.parse(error.errorText) as JsonObject, 'data')?.['supported']
  return error.rpcCode === -32022 && Array.isArray(supported) && supported.includes(MODERN_VERSION)
}

function agreementOf(
  era: Agreement['era'],
  protocolVersion: string,
  { value }: SessionResult,
  serverInfoText: string | undefined,
): Agreement {
  const instructions = stringAt(value, 'instructions')
  const gateways = gatewaysIn(value)
  if (gateways.includes(GATEWAY_ID)) throw new AppError('conflict', LOOP)
  return {
    era,
    protocolVersion,
    capabilities: objectAt(value, 'capabilities') ?? {},
    ...(serverInfoText === undefined ? {} : { serverInfoText }),
    ...(instructions === undefined ? {} : { instructions }),
    gateways,
  }
}

const LOOP = 'This address is the gateway itself, or another gateway that has this one among its servers'

function gatewaysIn(value: JsonObject): string[] {
  const told = objectAt(value, '_meta')?.[META.gateways]
  return Array.isArray(told) ? told.map(String) : []
}
