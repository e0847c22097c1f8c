import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'

const CHUNK = Buffer.alloc(1024 * 1024, 'x')
const MEGABYTES = 100

interface Request {
  readonly id?: unknown
  readonly method?: string
}

/** A Streamable HTTP server whose one tool answers with 100 MB. */
export async function startHugeHttp(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      if (request.method === 'POST') answer(JSON.parse(body) as Request, response)
      else response.writeHead(405).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function* megabytes(count: number): Generator<Buffer> {
  for (let sent = 0; sent < count; sent += 1) yield CHUNK
}

function answer({ id, method }: Request, response: ServerResponse): void {
  const serverInfo = { name: 'huge', version: '1' }
  const hello = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
  if (id === undefined) return void response.writeHead(202).end()
  response.writeHead(200, { 'content-type': 'application/json' })
  const say = (member: object): void => void response.end(JSON.stringify({ jsonrpc: '2.0', id, ...member }))
  if (method === 'initialize') return say({ result: hello })
  if (method === 'tools/list') return say({ result: { tools: [{ name: 'huge', inputSchema: { type: 'object' } }] } })
  if (method !== 'tools/call') return say({ error: { code: -32601, message: 'Method not found' } })
  response.on('error', () => response.destroy())
  Readable.from(megabytes(MEGABYTES)).pipe(response)
}
