import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A wire that can be sick: `swallow` keeps connections open and lets nothing through, as a network does that is cut. */
export type Wire = 'good' | 'swallow' | { readonly lateMs: number }

/** Stands between a client and a server on this machine. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  be(wire: Wire): void
}

export async function startTcpProxy(to: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let wire: Wire = 'good'
  const pass = (from: Socket, into: Socket): void => {
    sockets.add(from)
    from.on('error', () => into.destroy())
    from.on('close', () => {
      sockets.delete(from)
      into.destroy()
    })
    from.on('data', (bytes) => {
      if (wire === 'swallow') return
      if (wire === 'good') return void into.write(bytes)
      const timer = setTimeout(() => {
        timers.delete(timer)
        into.write(bytes)
      }, wire.lateMs)
      timers.add(timer)
    })
  }
  const server = createServer((client) => {
    const behind = connect(to, '127.0.0.1')
    pass(client, behind)
    pass(behind, client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    be: (next) => (wire = next),
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
