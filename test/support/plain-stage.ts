import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { refuseBrokenRequests } from '#http/broken-requests'
import { openPlainDoor, type PlainDoor } from '#http/plain-door'
import type { PlainResponse } from '#http/plain-response'

/** How often the door looks at its connections. */
export const SWEEP_MS = 50

interface Options {
  /** Without it node reads everything. */
  readonly isPlain?: boolean
  readonly keepAliveMs?: number
  /** In place of an echo of the request. */
  answer?(response: PlainResponse, body: string): void
}

/** A server that says what it has read, with the door before it, and who has read how many requests. */
export async function openPlainStage({ isPlain = true, keepAliveMs = 60_000, answer }: Options = {}) {
  const read = { plain: 0, node: 0 }
  const server = createServer(
    { keepAliveTimeout: keepAliveMs, headersTimeout: 300, requestTimeout: 300, connectionsCheckingInterval: 50 },
    (request, response) => {
      read.node += 1
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const text = echo(request.method, request.url, request.headers, Buffer.concat(chunks))
        response.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text)
      })
    },
  )
  refuseBrokenRequests(server)
  let door: PlainDoor | undefined
  if (isPlain)
    door = openPlainDoor(server, 'connection', {
      takes: (url) => url.startsWith('/mcp'),
      serve({ method, url, headers, body }, response) {
        read.plain += 1
        if (answer) return answer(response, body.toString())
        const text = echo(method, url, headers, body)
        response.writeHead(200, { 'content-length': Buffer.byteLength(text) }).end(text)
      },
      keepAliveMs,
      checkMs: SWEEP_MS,
    })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, read, door, server, sockets }
}

function echo(method: string | undefined, url: string | undefined, headers: IncomingHttpHeaders, body: Buffer): string {
  const { connection: _connection, ...said } = headers
  return JSON.stringify({ method, url, said, body: body.toString('latin1') })
}
