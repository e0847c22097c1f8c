import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#kernel/errors'
import { isJsonObject, objectAt, stringAt, type JsonObject } from '#kernel/json'
import { memberText } from '#kernel/json-text'
import { argumentAt, decodeHeaderValue, paramHeaders, type ParamHeader } from '#kernel/param-headers'
import { LOG_LEVELS, META, MODERN_VERSION } from '#kernel/protocol'
import type { RpcRequest } from '#kernel/rpc-message'
import type { CatalogTool } from '#registry/catalog-view'

/** A refusal of the modern era with a code and status of the specification. */
export class ModernRefusal extends AppError {
  readonly rpcCode: number
  readonly httpStatus: number
  readonly data: JsonObject | undefined

  constructor(rpcCode: number, message: string, options: { status?: number; data?: JsonObject } = {}) {
    super('invalid_request', message)
    this.rpcCode = rpcCode
    this.httpStatus = options.status ?? 400
    this.data = options.data
  }
}

const INVALID_PARAMS = -32602
const HEADER_MISMATCH = -32020
const UNSUPPORTED_VERSION = -32022

/** Who a modern request says it is from. Every request says it anew. */
export interface Claim {
  readonly capabilities: JsonObject
  readonly infoText?: string
  readonly logLevel?: string
}

/** Reads a request's claim (2026-07-28, basic). First that it is there, then that the headers agree, then the version. */
export function readClaim(
  request: Pick<RpcRequest, 'method' | 'params' | 'paramsText'>,
  headers: IncomingHttpHeaders,
): Claim {
  const meta = objectAt(request.params, '_meta')
  const version = stringAt(meta, META.protocolVersion)
  const capabilities = objectAt(meta, META.clientCapabilities)
  if (version === undefined && request.method === 'initialize')
    throw new ModernRefusal(
      HEADER_MISMATCH,
      'The header MCP-Protocol-Version differs from the body: no initialize there',
    )
  if (version === undefined)
    throw new ModernRefusal(INVALID_PARAMS, `"_meta" needs "${META.protocolVersion}" as a string`)
  if (!capabilities) throw new ModernRefusal(INVALID_PARAMS, `"_meta" needs "${META.clientCapabilities}" as an object`)
  checkHeaders(request, headers, version)
  if (version !== MODERN_VERSION) {
    const data = { supported: [MODERN_VERSION], requested: version }
    throw new ModernRefusal(UNSUPPORTED_VERSION, `Unsupported protocol version: ${version}`, { data })
  }
  const logLevel = meta?.[META.logLevel]
  if (logLevel !== undefined && (typeof logLevel !== 'string' || !LOG_LEVELS.includes(logLevel))) {
    throw new ModernRefusal(INVALID_PARAMS, `"${META.logLevel}" must be one of ${LOG_LEVELS.join(', ')}`)
  }
  const metaText = memberText(request.paramsText, '_meta') ?? '{}'
  const infoText = isJsonObject(meta?.[META.clientInfo]) ? memberText(metaText, META.clientInfo) : undefined
  return {
    capabilities,
    ...(infoText === undefined ? {} : { infoText }),
    ...(logLevel === undefined ? {} : { logLevel }),
  }
}

/** The headers that mirror the body must be there and say the same; values are case-sensitive. */
function checkHeaders(
  { method, params }: Pick<RpcRequest, 'method' | 'params'>,
  headers: IncomingHttpHeaders,
  version: string,
): void {
  mustEqual('MCP-Protocol-Version', headers['mcp-protocol-version'], version)
  mustEqual('Mcp-Method', headers['mcp-method'], method)
  const name = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined
  const wanted = name === undefined ? undefined : stringAt(params, name)
  if (wanted !== undefined) mustEqual('Mcp-Name', headers['mcp-name'], wanted, decodeHeaderValue)
}

const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

function mustEqual(
  header: string,
  value: string | string[] | undefined,
  wanted: string,
  decode: (value: string) => string | undefined = (raw) => raw,
): void {
  if (typeof value !== 'string') throw new ModernRefusal(HEADER_MISMATCH, `The header ${header} is missing`)
  const decoded = decode(value.trim())
  if (decoded === undefined) throw new ModernRefusal(HEADER_MISMATCH, `The header ${header} is malformed`)
  if (decoded !== wanted) throw new ModernRefusal(HEADER_MISMATCH, `The header ${header} differs from the body`)
}

const plans = new WeakMap<CatalogTool, readonly ParamHeader[]>()

function planOf(tool: CatalogTool): readonly ParamHeader[] {
  if (!tool.inputSchemaText?.includes('x-mcp-header')) return []
  const plan = plans.get(tool) ?? paramHeaders(tool.definition['inputSchema']) ?? []
  plans.set(tool, plan)
  return plan
}

/** Said by our stdio bridge: on a pipe there are no headers that could mirror arguments; upstream we make them ourselves. */
export const FROM_PIPE = 'x-metamcp-from-pipe'

/**
 * The `Mcp-Param-*` headers of a call, checked against its arguments. Judged here, because a server on a pipe or of the
 * legacy era could not.
 */
export function checkedParamHeaders(
  tool: CatalogTool | undefined,
  params: JsonObject,
  headers: IncomingHttpHeaders,
): Record<string, string> {
  if (headers[FROM_PIPE] !== undefined) return {}
  const plan = tool ? planOf(tool) : []
  const args = objectAt(params, 'arguments') ?? {}
  for (const { header, path } of plan) {
    const wanted = argumentAt(args, path)
    const name = `mcp-param-${header.toLowerCase()}`
    if (wanted !== undefined) mustEqual(`Mcp-Param-${header}`, headers[name], wanted, decodeHeaderValue)
    else if (headers[name] !== undefined) {
      throw new ModernRefusal(HEADER_MISMATCH, `The header Mcp-Param-${header} has no argument in the body`)
    }
  }
  const passed = Object.entries(headers).filter((entry): entry is [string, string] => entry[0].startsWith('mcp-param-'))
  return Object.fromEntries(passed)
}
