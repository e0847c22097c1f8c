import type { IncomingMessage } from 'node:http'
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Gateway } from '#gateway/gateway'
import { AppError } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import type { McpEndpoint } from '#mcp/endpoint'
import type { HttpRequest, HttpResponse } from '#mcp/http-exchange'
import type { Oauth } from '#oauth/create-oauth'
import type { Api } from './api.ts'
import { createCors } from './cors.ts'
import { cutUnwantedBody, refuseBrokenRequests } from './broken-requests.ts'
import { openPlainDoor } from './plain-door.ts'
import { RatedResponse } from './rated-response.ts'

/** Longer than clients and proxies keep idle connections, so that it is they who close. */
const KEEP_ALIVE_MS = 65_000
/** How often the door looks for requests that are late. */
const LATE_CHECK_MS = 1000
/** How often a closing door looks for connections that have become idle. */
const SWEEP_MS = 20
/** What was answered gets this long to be read. */
const FLUSH_MS = 1000

/** The one server for everything: MCP goes to the endpoint, the rest through the API. */
export interface FrontDoor {
  /** Resolves to the base URL without a slash at the end. Rejects when the address is taken. */
  listen(port: number, host: string): Promise<string>
  /** New connections get this certificate; those that are there go on. Only for a door with TLS. */
  useTls(tls: TlsMaterial): void
  /**
   * Takes no new calls and waits for those that run as long as the grace period: meanwhile who asks is told, and readiness
   * says so. Then takes no connections either, and ends when what was answered is read.
   */
  close(gracePeriodMs: number): Promise<void>
}

export interface FrontDoorDeps {
  readonly endpoint: Pick<McpEndpoint, 'takes' | 'handle' | typeof Symbol.dispose>
  readonly oauth: Pick<Oauth, 'handle'>
  readonly api: Pick<Api, 'handle'>
  readonly gateway: Pick<Gateway, 'drain' | 'giveUp' | 'running'>
  readonly allowedOrigins: readonly string[]
  hostGuard(request: IncomingMessage): AppError | undefined
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs: number
  /** Then it speaks HTTPS only. */
  readonly tls?: TlsMaterial | undefined
  readonly log: Logger
}

/** As PEM. */
interface TlsMaterial {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca?: Buffer
}

export function createFrontDoor(deps: FrontDoorDeps): FrontDoor {
  const { endpoint, oauth, api, gateway, tls, log } = deps
  const cors = createCors(deps)
  const isAnswered = (request: HttpRequest, response: HttpResponse): boolean => {
    if (tls) demandTls(request, response)
    return cors(request, response) || endpoint.handle(request, response)
  }
  const server = openServer(deps, (request, response) => {
    cutUnwantedBody(request, response)
    if (isAnswered(request, response) || oauth.handle(request, response)) return
    api.handle(request, response)
  })
  const plain = openPlainDoor(server, tls ? 'secureConnection' : 'connection', {
    takes: endpoint.takes,
    serve: isAnswered,
    keepAliveMs: KEEP_ALIVE_MS,
    checkMs: lateCheckMs(deps),
  })
  refuseBrokenRequests(server)
  const sockets = socketsOf(server)
  sparePending(server, sockets)
  return {
    async listen(port, host) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => reject(cannotListen(error, port, host)))
        server.listen(port, host, resolve)
      })
      const { port: bound } = server.address() as AddressInfo
      return `${tls ? 'https' : 'http'}://${reachable(host)}:${bound}`
    },
    useTls(next) {
      if (server instanceof TlsServer) server.setSecureContext({ ...next, minVersion: TLS_MIN })
    },
    async close(gracePeriodMs) {
      const { running } = gateway
      if (running > 0)
        log.warn({ running, gracePeriodMs }, 'waiting for running calls; another signal ends them at once')
      const sweep = setInterval(() => {
        server.closeIdleConnections()
        plain.closeIdle()
      }, SWEEP_MS)
      await atMost(gracePeriodMs, gateway.drain())
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      gateway.giveUp()
      await atMost(FLUSH_MS, gateway.drain())
      endpoint[Symbol.dispose]()
      await atMost(FLUSH_MS, closed)
      clearInterval(sweep)
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const TLS_MIN = 'TLSv1.2'
/** A year. */
const HSTS = 'max-age=31536000'

function lateCheckMs({ requestTimeoutMs }: Pick<FrontDoorDeps, 'requestTimeoutMs'>): number {
  return Math.min(LATE_CHECK_MS, requestTimeoutMs)
}

function openServer(deps: FrontDoorDeps, listener: RequestListener): Server {
  const { tls, requestTimeoutMs } = deps
  const options: ServerOptions<typeof IncomingMessage, typeof RatedResponse> = {
    ServerResponse: RatedResponse,
    noDelay: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: lateCheckMs(deps),
  }
  if (!tls) return createServer(options, listener)
  const { ca, ...own } = tls
  const mutual = ca ? { ca, requestCert: true, rejectUnauthorized: true } : {}
  return createTlsServer({ ...options, ...own, ...mutual, minVersion: TLS_MIN }, listener)
}

/** Browsers come over HTTPS from now on (RFC 6797). Not to localhost: all that runs there would have to speak it. */
function demandTls({ headers }: HttpRequest, response: HttpResponse): void {
  if (!/^localhost(:\d+)?$/i.test(headers.host ?? '')) response.setHeader('strict-transport-security', HSTS)
}

/** Where this machine finds what listens on all addresses. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function cannotListen(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code !== 'EADDRINUSE') return error
  const message = `The port ${port} of ${host} is in use by another program; choose one with --port`
  return new AppError('conflict', message, { cause: error })
}

/** All that are open; with TLS, those too on which nobody has said anything yet. */
function socketsOf(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** To node, in `close` too, a connection is idle as soon as its answer is written, although nobody has it yet. */
function sparePending(server: Server, sockets: ReadonlySet<Socket>): void {
  const closeIdle = server.closeIdleConnections.bind(server)
  server.closeIdleConnections = () => {
    const isPending = [...sockets].some(({ writableLength }) => writableLength > 0)
    if (!isPending) closeIdle()
  }
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, ms)
  await Promise.race([work, patience.promise])
  clearTimeout(timer)
}
