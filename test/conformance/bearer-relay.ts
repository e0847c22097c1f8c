import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Relay = AsyncDisposable & { url: string }

/**
 * Stands in front of a gateway for suites that send no credential of their own. Everything passes as it comes, both ways, and
 * each request shows the credential besides.
 */
export async function startBearerRelay(gateway: string, credential: string): Promise<Relay> {
  const target = new URL(gateway)
  const authorization = `Bearer ${credential}`
  const server = createServer((request, response) => relay(request, response, { target, authorization }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  const url = new URL(target.pathname, `http://localhost:${port}`).href
  return { url, [Symbol.asyncDispose]: stop }
}

type Way = { target: URL; authorization: string }

function relay(request: IncomingMessage, response: ServerResponse, { target, authorization }: Way): void {
  const { method, url: path, headers } = request
  const { hostname: host, port } = target
  const onward = ask({ host, port, path, method, headers: { ...headers, authorization } })
  onward.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    // Who leaves takes the other one along: a stream that is given up ends on both sides.
    answer.once('error', () => response.destroy())
    answer.pipe(response)
  })
  onward.once('error', () => response.destroy())
  response.once('close', () => onward.destroy())
  request.pipe(onward)
}
