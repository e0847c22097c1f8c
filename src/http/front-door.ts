import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Gateway } from '#gateway/gateway'
import type { McpEndpoint } from '#mcp/endpoint'
import type { Api } from './api.ts'

/** Longer than clients and proxies keep idle connections, so that it is they who close. */
const KEEP_ALIVE_MS = 65_000

/** The one server for everything: MCP goes to the endpoint, the rest through the API. */
export interface FrontDoor {
  /** Resolves to the base URL without a slash at the end. Rejects when the address is taken. */
  listen(port: number, host: string): Promise<string>
  /** Takes no new connections, waits for running calls as long as the grace period, then ends all connections. */
  close(gracePeriodMs: number): Promise<void>
}

export interface FrontDoorDeps {
  readonly endpoint: Pick<McpEndpoint, 'handle' | typeof Symbol.dispose>
  readonly api: Pick<Api, 'handle'>
  readonly gateway: Pick<Gateway, 'whenIdle'>
}

export function createFrontDoor({ endpoint, api, gateway }: FrontDoorDeps): FrontDoor {
  const server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    if (!endpoint.handle(request, response)) api.handle(request, response)
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  return {
    async listen(port, host) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, resolve)
      })
      const { port: bound } = server.address() as AddressInfo
      return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
    },
    async close(gracePeriodMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await atMost(gracePeriodMs, gateway.whenIdle())
      endpoint[Symbol.dispose]()
      server.closeAllConnections()
      await closed
    },
  }
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, ms)
  await Promise.race([work, patience.promise])
  clearTimeout(timer)
}
