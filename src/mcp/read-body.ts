import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { AppError } from '#kernel/errors'
import type { JsonValue } from '#kernel/json'
import { findFault, parseSoundly } from '#kernel/json-text'
import type { HttpRequest } from './http-exchange.ts'

const DEPTH_MAX = 128
const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i

/**
 * The request's JSON body as text, at once where it is there. Throws or rejects with `unsupported_media_type` for another type,
 * `payload_too_large`, or `parse_error` where it is no UTF-8.
 */
export function readBody(request: HttpRequest, bytesMax: number): string | Promise<string> {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers
  if (!JSON_TYPE.test(type)) throw unsupported('The Content-Type must be application/json')
  if (encoding !== 'identity') throw unsupported('The body must not be compressed')
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax)
  return 'body' in request ? textOf(request.body) : receivedBody(request, bytesMax).then(textOf)
}

function receivedBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
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
    const [first] = chunks
    resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks))
  })
  request.on('error', () => reject(new AppError('cancelled', 'The request ended early')))
  return promise
}

function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new AppError('parse_error', 'The body is not UTF-8')
  return withoutMark(body.toString('utf8'))
}

/** RFC 8259, §8.1: a byte order mark may be ignored. */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

function unsupported(reason: string): AppError {
  return new AppError('unsupported_media_type', reason)
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
  return parseSoundly(text, value)
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw new AppError('parse_error', 'The body is not JSON')
  }
}
