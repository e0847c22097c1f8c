// The floor for any gateway on Node: node:http in, undici's Pool out, nothing parsed. node bench/bare-proxy.ts ORIGIN; prints its port.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length', 'expect', 'te'])
const pool = new Pool(process.argv[2] ?? '', { connections: 64, pipelining: 1, keepAliveTimeout: 60_000 })

function forward(request: IncomingMessage, response: ServerResponse, body: Buffer | null): void {
  pool.dispatch(
    { path: request.url ?? '/', method: request.method ?? 'GET', headers: endToEnd(request.headers), body },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, headers) {
        delete headers['transfer-encoding']
        delete headers['connection']
        response.writeHead(status, headers)
      },
      onResponseData(_controller, chunk) {
        response.write(chunk)
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        if (!response.headersSent) response.writeHead(502)
        response.end()
      },
    },
  )
}

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !HOP_BY_HOP.has(name)) kept[name] = value
  }
  return kept
}

const server = createServer({ keepAliveTimeout: 120_000, noDelay: true }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => forward(request, response, chunks.length === 0 ? null : Buffer.concat(chunks)))
})
server.listen(0, '127.0.0.1', 4096, () => console.log((server.address() as AddressInfo).port))
