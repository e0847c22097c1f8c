import { Agent, WebSocket } from 'undici'
import { AppError } from '#kernel/errors'
import type { ConnectOption } from './http-client.ts'
import type { Transport, TransportEvents, TransportLimits } from './transport.ts'

export interface WebSocketOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connect: ConnectOption
  readonly limits: TransportLimits
}

/** JSON-RPC over a WebSocket with the subprotocol `mcp`, as SDKs before 2.0 spoke it. */
export async function openWebSocket(options: WebSocketOptions, events: TransportEvents): Promise<Transport> {
  const dispatcher = new Agent({ connect: options.connect })
  const socket = new WebSocket(options.url, { protocols: ['mcp'], headers: options.headers, dispatcher })
  const opened = Promise.withResolvers<void>()
  const end = (reason: string): void => {
    const error = new AppError('upstream_unavailable', reason)
    opened.reject(error)
    events.closed(error)
  }
  const patience = setTimeout(() => {
    socket.close()
    end('The server did not accept a WebSocket in time')
  }, options.limits.connectTimeoutMs)
  socket.addEventListener('open', () => opened.resolve())
  socket.addEventListener('error', () => end('The WebSocket failed'))
  socket.addEventListener('close', () => end('The server closed the WebSocket'))
  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string') events.log('gateway', 'a binary message was dropped')
    else if (data.length > options.limits.messageBytesMax) end('The server sent a message that is too large')
    else events.message(data)
  })
  await opened.promise.finally(() => clearTimeout(patience))
  return {
    kind: 'websocket',
    hasCallStreams: false,
    send({ text, delivered }) {
      socket.send(text)
      delivered?.()
    },
    abandon() {},
    answered() {},
    async close() {
      socket.close()
      await dispatcher.destroy()
    },
  }
}
