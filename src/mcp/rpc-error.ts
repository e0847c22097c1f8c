import { ERROR_CODES } from '#kernel/error-codes'
import { UpstreamRpcError, type AppError } from '#kernel/errors'
import { editObject } from '#kernel/json-text'
import type { Era } from '#registry/records'

const RESOURCE_NOT_FOUND_LEGACY = -32002
const INVALID_PARAMS = -32602
const URL_ELICITATION_REQUIRED = -32042

/** The one translator of errors toward MCP: the raw text of a JSON-RPC `error` member. */
export function rpcErrorText(error: AppError, era: Era): string {
  if (error instanceof UpstreamRpcError) return upstreamErrorText(error, era)
  const { rpcCode } = ERROR_CODES[error.code]
  const code = error.code === 'resource_not_found' && era === 'legacy' ? RESOURCE_NOT_FOUND_LEGACY : rpcCode
  const hasDetails = Object.keys(error.details).length > 0
  return JSON.stringify({ code, message: error.message, ...(hasDetails ? { data: error.details } : {}) })
}

/** What an upstream said passes to the letter; only between the eras are codes translated that one of them has not. */
function upstreamErrorText(error: UpstreamRpcError, era: Era): string {
  if (error.era === era) return error.errorText
  const code = translatedCode(error.rpcCode, error.message, era)
  return code === error.rpcCode ? error.errorText : editObject(error.errorText, { code: String(code) })
}

function translatedCode(code: number, message: string, era: Era): number {
  if (era === 'modern' && code === RESOURCE_NOT_FOUND_LEGACY) return INVALID_PARAMS
  if (era === 'modern' && code === URL_ELICITATION_REQUIRED) return ERROR_CODES.tool_execution_error.rpcCode
  if (era === 'legacy' && code === INVALID_PARAMS && /resource .*not found|unknown resource/i.test(message))
    return RESOURCE_NOT_FOUND_LEGACY
  return code
}
