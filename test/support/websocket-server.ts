import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa

/** Answers one text message with others; `send` goes back to the same connection. */
export type Speaker = (message: string, send: (text: string) => void) => void

/** A WebSocket server (RFC 6455) with the subprotocol `mcp`, as small as a test needs: unfragmented frames of up to 2^32 bytes. */
export async function startWebSocketServer(speak: Speaker): Promise<AsyncDisposable & { url: string }> {
  const sockets = new Set<Duplex>()
  const server = createServer((_request, response) => void response.writeHead(426).end())
  server.on('upgrade', (request, socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.write(handshake(request))
    readFrames(socket, (opcode, payload) => {
      if (opcode === TEXT) speak(payload.toString(), (text) => socket.write(frame(TEXT, Buffer.from(text))))
      if (opcode === PING) socket.write(frame(PONG, payload))
      if (opcode === CLOSE) socket.end(frame(CLOSE, payload))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function handshake({ headers }: IncomingMessage): string {
  const accept = createHash('sha1')
    .update(`${headers['sec-websocket-key'] ?? ''}${GUID}`)
    .digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  return [...lines, `Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: mcp', '', ''].join('\r\n')
}

function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

function readFrames(socket: Duplex, take: (opcode: number, payload: Buffer) => void): void {
  let held = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    for (let size = frameSize(held); size && held.length >= size.end; size = frameSize(held)) {
      const mask = held.subarray(size.start - 4, size.start)
      const payload = Buffer.from(held.subarray(size.start, size.end).map((byte, at) => byte ^ (mask[at % 4] ?? 0)))
      take((held[0] ?? 0) & 0x0f, payload)
      held = held.subarray(size.end)
    }
  })
}

/** Where the payload of the first frame begins and ends; what clients send is masked. */
function frameSize(held: Buffer): { start: number; end: number } | undefined {
  const short = (held[1] ?? 0) & 0x7f
  const start = { 126: 8, 127: 14 }[short] ?? 6
  if (held.length < start) return undefined
  const length = short === 126 ? held.readUInt16BE(2) : short === 127 ? Number(held.readBigUInt64BE(2)) : short
  return { start, end: start + length }
}
