import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { allActions } from '#policy/permission'
import type { ApiDeps } from './api-deps.ts'
import { createBodyReader } from './body-reader.ts'
import { noRoute } from './no-route.ts'
import { describeApi } from './open-api.ts'
import type { Endpoint } from './endpoint.ts'
import { failureOf, problemReply } from './problem.ts'
import { createRequestId } from './request-id.ts'
import { logFailure, watchRequest } from './request-log.ts'
import { ENDPOINTS } from './routes.ts'
import { auditFailure, serveEndpoint } from './serve-endpoint.ts'

const ADDRESS_PART_MAX = 4096

/** The REST API, to be put behind a server that somebody else owns. */
export interface Api {
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Takes a request without a socket. */
  readonly inject: FastifyInstance['inject']
  close(): Promise<void>
}

/** Rejects when an endpoint does not say who may use it. */
export async function createApi(deps: ApiDeps, endpoints: readonly Endpoint[] = ENDPOINTS): Promise<Api> {
  endpoints.forEach(checkAccess)
  const app = createFastify(deps)
  await secure(app, deps)
  await describeApi(app, deps.health.version)
  const bodies = createBodyReader()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, bodies.read)
  let openApiText: string | undefined
  const context = { ...deps, openApiText: () => (openApiText ??= JSON.stringify(app.swagger())) }
  for (const endpoint of endpoints) serveEndpoint(app, endpoint, { context, bodies })
  await app.ready()
  return {
    handle: (request, response) => app.routing(request, response),
    inject: app.inject.bind(app),
    close: () => app.close(),
  }
}

function checkAccess({ method, path, access }: Endpoint): void {
  const known: readonly string[] = ['public', 'self', ...allActions()]
  if (!known.includes(access)) throw new Error(`${method} ${path} declares no access`)
}

function createFastify(deps: ApiDeps): FastifyInstance {
  const fail = async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const error = failureOf(thrown)
    logFailure(deps.log, request, error)
    await auditFailure(deps, request, error)
    const { status, headers, body } = problemReply(error, deps.now())
    await reply
      .code(status)
      .headers({ ...headers, 'X-Request-Id': request.id, 'content-type': 'application/json; charset=utf-8' })
      .send(JSON.stringify(body))
  }
  const app = fastify({
    bodyLimit: deps.bodyBytesMax,
    genReqId: createRequestId(deps.newId),
    requestIdHeader: false,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: ADDRESS_PART_MAX },
    frameworkErrors(thrown, request, reply) {
      watchRequest(deps.log, request, reply)
      void fail(thrown, request, reply)
    },
  })
  app.setErrorHandler(fail)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  return app
}

/** What happens to every request before its body is read, in this order. */
async function secure(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  app.addHook('onRequest', async function identify(request, reply) {
    watchRequest(deps.log, request, reply)
    void reply.headers({ 'X-Request-Id': request.id, 'cache-control': 'no-store' })
  })
  app.addHook('onRequest', async function guardHost(request) {
    const refusal = deps.hostGuard?.(request.raw)
    if (refusal) throw refusal
  })
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false,
  })
  app.addHook('onRequest', async function refuseUnknownAddress(request) {
    if (request.is404) throw noRoute(ENDPOINTS, request.method, request.raw.url ?? '/')
  })
  // Routes that are not in our table, those of the docs, can find nothing, too.
  app.setNotFoundHandler((request) => {
    throw noRoute(ENDPOINTS, request.method, request.raw.url ?? '/')
  })
}
