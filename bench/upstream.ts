// A fast MCP server over Streamable HTTP with sessions, hand-written on sockets (about 11 µs a request).
// node bench/upstream.ts TOOLS [SIGN [PORT]]; prints its port. GET /stats counts what really reached it.
import { randomUUID } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createEcho } from './echo.ts'
import { headerOf } from './connection.ts'

const echo = createEcho('bench-upstream', Number(process.argv[2] ?? 10), process.argv[3])
const sessions = new Set<string>()
let calls = 0

interface Request {
  readonly head: string
  readonly body: string
}

const server = createServer({ noDelay: true }, (socket) => {
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    for (let taken = take(bytes); taken !== undefined; taken = take(bytes)) {
      bytes = bytes.subarray(taken.length)
      answer(socket, taken.request)
    }
  })
})

/** The first complete request of the bytes. Clients here always send a content-length or no body. */
function take(bytes: Buffer): { request: Request; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = end + 4 + Number(headerOf(head, 'content-length') ?? 0)
  if (bytes.length < length) return undefined
  return { request: { head, body: bytes.toString('utf8', end + 4, length) }, length }
}

function answer(socket: Socket, { head, body }: Request): void {
  if (head.startsWith('GET /stats')) return send(socket, '200 OK', JSON.stringify({ calls }))
  if (head.startsWith('DELETE')) return send(socket, '200 OK', '')
  if (!head.startsWith('POST')) return send(socket, '405 Method Not Allowed', '')
  const message = JSON.parse(body) as { method?: string }
  if (message.method === 'initialize') {
    const id = randomUUID()
    sessions.add(id)
    return send(socket, '200 OK', echo(message) ?? '', `Mcp-Session-Id: ${id}\r\n`)
  }
  if (!sessions.has(headerOf(head, 'mcp-session-id') ?? '')) return send(socket, '404 Not Found', '')
  if (message.method === 'tools/call') calls += 1
  const reply = echo(message)
  send(socket, reply === undefined ? '202 Accepted' : '200 OK', reply ?? '')
}

function send(socket: Socket, status: string, body: string, headers = ''): void {
  const type = body === '' ? '' : 'Content-Type: application/json\r\n'
  socket.write(`HTTP/1.1 ${status}\r\n${type}${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

server.listen(Number(process.argv[4] ?? 0), '127.0.0.1', 4096, () =>
  console.log((server.address() as AddressInfo).port),
)
