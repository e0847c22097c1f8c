import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { memberText } from './json-text.ts'

/** A JSON-RPC id. It goes back with the type and the digits it came in, hence `text`. */
export type RpcId = string | number

export interface RpcRequest {
  readonly kind: 'request'
  readonly id: RpcId
  /** The id's raw text. */
  readonly idText: string
  readonly method: string
  /** The parsed params, read-only; `{}` when absent. */
  readonly params: JsonObject
  /** The raw text of params; `{}` when absent. */
  readonly paramsText: string
}

export interface RpcNotification {
  readonly kind: 'notification'
  readonly method: string
  readonly params: JsonObject
  readonly paramsText: string
}

/** An answer: exactly one of `resultText` and `error`. */
export interface RpcResponse {
  readonly kind: 'response'
  /** Null where the sender could not tell the request's id. */
  readonly id: RpcId | null
  readonly result?: JsonObject
  readonly resultText?: string
  readonly error?: RpcErrorBody
}

interface RpcErrorBody {
  readonly code: number
  readonly message: string
  /** The raw text of the whole `error` member. */
  readonly text: string
}

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse

/** Why a value is no JSON-RPC 2.0 message, in words for the sender, with the id if one could be read. */
export interface RpcFault {
  readonly kind: 'fault'
  readonly reason: string
  readonly id: RpcId | null
}

/**
 * Reads one message from its text and the value that `JSON.parse` made of it.
 * Member texts are cut from `text`, so nothing is serialised again.
 */
export function readMessage(text: string, value: JsonValue): RpcMessage | RpcFault {
  if (!isJsonObject(value)) return fault('a message is a JSON object', null)
  const id = value['id']
  const readableId = isRpcId(id) ? id : null
  if (value['jsonrpc'] !== '2.0') return fault('"jsonrpc" must be "2.0"', readableId)
  if (typeof value['method'] === 'string') return readCall(text, value, value['method'])
  if ('method' in value) return fault('"method" must be a string', readableId)
  return readResponse(text, value, readableId)
}

/** Whether a value can be a request's id: a string or an integer (MCP forbids null). */
export function isRpcId(value: unknown): value is RpcId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))
}

function readCall(text: string, value: JsonObject, method: string): RpcRequest | RpcNotification | RpcFault {
  const { id, params } = value
  const hasId = id !== undefined
  if (hasId && !isRpcId(id)) return fault('"id" must be a string or an integer', null)
  if (params !== undefined && !isJsonObject(params)) return fault('"params" must be an object', hasId ? id : null)
  const paramsText = memberText(text, 'params') ?? '{}'
  if (!hasId) return { kind: 'notification', method, params: params ?? {}, paramsText }
  return { kind: 'request', id, idText: memberText(text, 'id') ?? '', method, params: params ?? {}, paramsText }
}

function readResponse(text: string, value: JsonObject, id: RpcId | null): RpcResponse | RpcFault {
  const { result, error } = value
  if ((result === undefined) === (error === undefined)) return fault('neither a request nor a response', id)
  if (isJsonObject(result)) return { kind: 'response', id, result, resultText: memberText(text, 'result') ?? '{}' }
  if (result !== undefined) return fault('"result" must be an object', id)
  if (!isJsonObject(error) || typeof error['code'] !== 'number') return fault('"error" must have a numeric "code"', id)
  const message = typeof error['message'] === 'string' ? error['message'] : ''
  const errorText = memberText(text, 'error') ?? '{}'
  return { kind: 'response', id, error: { code: error['code'], message, text: errorText } }
}

function fault(reason: string, id: RpcId | null): RpcFault {
  return { kind: 'fault', reason, id }
}

/** The text of a request. */
export function requestText(idText: string, method: string, paramsText: string): string {
  return `{"jsonrpc":"2.0","id":${idText},"method":${JSON.stringify(method)},"params":${paramsText}}`
}

/** The text of a notification. */
export function notificationText(method: string, paramsText?: string): string {
  const params = paramsText === undefined ? '' : `,"params":${paramsText}`
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${params}}`
}

/** The text of a successful answer. */
export function resultText(idText: string, result: string): string {
  return `{"jsonrpc":"2.0","id":${idText},"result":${result}}`
}

/** The text of a refusal; `errorText` is the whole `error` member. */
export function errorText(idText: string, error: string): string {
  return `{"jsonrpc":"2.0","id":${idText},"error":${error}}`
}
