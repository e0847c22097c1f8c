import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A wire that can be sick: `swallow` keeps connections open and lets nothing through, `cut` ends them and every new one. */
export type Wire = 'good' | 'swallow' | 'cut' | { readonly lateMs: number }

/** Stands between a client and a server on this machine. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** What has passed so far, both ways. */
  readonly bytes: number
  be(wire: Wire): void
}

export async function startTcpProxy(to: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let wire: Wire = 'good'
  let passed = 0
  const pass = (from: Socket, into: Socket): void => {
    sockets.add(from)
    from.on('error', () => into.destroy())
    from.on('close', () => {
      sockets.delete(from)
      into.destroy()
    })
    from.on('data', (bytes) => {
      if (wire === 'swallow' || wire === 'cut') return
      passed += bytes.length
      if (wire === 'good') return void into.write(bytes)
      const timer = setTimeout(() => {
        timers.delete(timer)
        into.write(bytes)
      }, wire.lateMs)
      timers.add(timer)
    })
  }
  const server = createServer((client) => {
    if (wire === 'cut') return void client.destroy()
    const behind = connect(to, '127.0.0.1')
    pass(client, behind)
    pass(behind, client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return passed
    },
    be(next) {
      wire = next
      if (next === 'cut') for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
