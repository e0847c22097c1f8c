import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AppError } from '#kernel/errors'
import type { LogFields, Logger } from '#kernel/logger'

const SLOW_MS = 1000

/** Writes one line when the request has ended, however it ends. */
export function watchRequest(log: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const startedAt = performance.now()
  reply.raw.once('close', () => logRequest(log, request, reply, Math.round(performance.now() - startedAt)))
}

function logRequest(log: Logger, request: FastifyRequest, reply: FastifyReply, ms: number): void {
  const fields: LogFields = {
    request_id: request.id,
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: reply.raw.writableEnded ? reply.statusCode : 499,
    ms,
  }
  if (ms > SLOW_MS) log.warn({ ...fields, slow: true }, 'request')
  else log.info(fields, 'request')
}

/** The part of a failure that the caller does not read. */
export function logFailure(log: Logger, request: FastifyRequest, error: AppError): void {
  const fields = { request_id: request.id, code: error.code, reason: error.message }
  if (error.code === 'internal_error') log.error({ ...fields, err: error.cause ?? error }, 'request failed')
  else log.debug({ ...fields, cause: error.cause }, 'request refused')
}
