import type { IncomingMessage } from 'node:http'
import { AppError } from '#kernel/errors'
import type { JsonValue } from '#kernel/json'
import { findFault } from '#kernel/json-text'

const DEPTH_MAX = 128
const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** The request's body as text. Rejects with `payload_too_large`, or `parse_error` where it is no UTF-8. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
    return Promise.reject(tooLarge(bytesMax))
  }
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > bytesMax) {
      request.pause()
      reject(tooLarge(bytesMax))
    } else chunks.push(chunk)
  })
  request.on('end', () => {
    try {
      const [first] = chunks
      resolve(strictUtf8.decode(chunks.length === 1 && first ? first : Buffer.concat(chunks)))
    } catch {
      reject(new AppError('parse_error', 'The body is not UTF-8'))
    }
  })
  request.on('error', () => reject(new AppError('cancelled', 'The request ended early')))
  return promise
}

function tooLarge(bytesMax: number): AppError {
  return new AppError('payload_too_large', `The body is larger than ${bytesMax} bytes`)
}

/** Parses a body once. Refuses what two parsers could read differently, and nesting that is an attack. */
export function parseBody(text: string): JsonValue {
  const value = parseJson(text)
  const fault = findFault(text, DEPTH_MAX)
  if (fault?.kind === 'depth')
    throw new AppError('invalid_request', `The body is nested deeper than ${DEPTH_MAX} levels`)
  if (fault) throw new AppError('invalid_request', `The body has the member "${fault.key}" twice`)
  return value
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw new AppError('parse_error', 'The body is not JSON')
  }
}
