import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { WholeRequest } from '#mcp/http-exchange'
import { PlainClock } from './plain-clock.ts'
import { PlainConnection } from './plain-connection.ts'
import type { PlainResponse } from './plain-response.ts'

/** The way in for requests of the plainest form; all others go on to node's server. */
export interface PlainDoor {
  /** Ends what is idle. */
  closeIdle(): void
}

export interface PlainDoorOptions {
  /** Whether requests to this target may come in here. */
  takes(url: string): boolean
  serve(request: WholeRequest, response: PlainResponse): void
  /** How long a connection is kept without a request, in milliseconds. */
  readonly keepAliveMs: number
  /** How often late ones are looked for. */
  readonly checkMs: number
}

/** Stands before a server that does not listen yet. `event` is the one with which that gets its connections. */
export function openPlainDoor(
  server: Server,
  event: 'connection' | 'secureConnection',
  { takes, serve, keepAliveMs, checkMs }: PlainDoorOptions,
): PlainDoor {
  const connections = new Set<PlainConnection>()
  const [accept] = server.listeners(event) as ((this: Server, socket: Socket) => void)[]
  if (!accept) throw new Error(`The server does not listen to ${event}`)
  server.off(event, accept)
  const limits = { lateMs: checkMs, idleMs: keepAliveMs }
  let clock: NodeJS.Timeout | undefined
  const sweep = (): void => {
    const now = Date.now()
    for (const connection of connections) connection.sweep(now, limits)
  }
  const owner = {
    clock: new PlainClock(keepAliveMs),
    takes,
    serve,
    handOver: (socket: Socket) => accept.call(server, socket),
    cutShort: (socket: Socket) => void server.emit('clientError', new Error('the request is cut short'), socket),
    left(connection: PlainConnection) {
      connections.delete(connection)
      if (connections.size > 0) return
      clearInterval(clock)
      clock = undefined
    },
  }
  server.on(event, (socket: Socket) => {
    connections.add(new PlainConnection(socket, owner))
    clock ??= setInterval(sweep, checkMs).unref()
  })
  return {
    closeIdle() {
      for (const connection of connections) if (connection.isIdle) connection.destroy()
    },
  }
}
