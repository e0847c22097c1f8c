import type { FastifyRequest } from 'fastify'
import { AppError } from '#kernel/errors'
import { isJsonObject, type JsonValue } from '#kernel/json'
import { findFault, parseSoundly } from '#kernel/json-text'

const DEPTH_MAX = 200

/** Reads JSON bodies and keeps their text while the request lives. */
export interface BodyReader {
  read(request: FastifyRequest, bytes: Buffer): Promise<unknown>
  textOf(request: FastifyRequest): string
}

export function createBodyReader(): BodyReader {
  const texts = new WeakMap<FastifyRequest, string>()
  return {
    async read(request, bytes) {
      refuseEncoding(request)
      if (bytes.length === 0) return undefined
      const text = decode(bytes)
      const parsed = parse(text)
      refuseFault(text)
      const value = parseSoundly(text, parsed)
      if (text.includes('__proto__') || text.includes('\\u00')) refuseProto(value)
      texts.set(request, text)
      return value
    },
    textOf: (request) => texts.get(request) ?? '{}',
  }
}

function refuseEncoding(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return
  throw new AppError('unsupported_media_type', 'The body must not be compressed', { details: { encoding } })
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AppError('parse_error', 'The body is not UTF-8', { cause })
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch (cause) {
    throw new AppError('parse_error', 'The body is not JSON', { cause })
  }
}

/** Two readers of a repeated key can see different requests, so it is refused rather than repaired. */
function refuseFault(text: string): void {
  const fault = findFault(text, DEPTH_MAX)
  if (fault?.kind === 'depth') throw new AppError('invalid_request', `The body is nested deeper than ${DEPTH_MAX}`)
  if (fault?.kind === 'duplicate') {
    throw new AppError('invalid_request', 'The body has a key twice', { details: { key: fault.key } })
  }
}

/** A key that changes objects when it is copied carelessly; nobody has an honest use for it here. */
function refuseProto(value: unknown): void {
  if (Array.isArray(value)) value.forEach(refuseProto)
  if (!isJsonObject(value)) return
  if (Object.hasOwn(value, '__proto__')) throw new AppError('invalid_request', 'The key __proto__ is not accepted')
  Object.values(value).forEach(refuseProto)
}
