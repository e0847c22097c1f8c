import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A wire that can be sick: `swallow` keeps connections open and what they say, `cut` ends them and every new one. */
export type Wire = 'good' | 'swallow' | 'cut' | { readonly lateMs: number }

/** Stands between a client and a server on this machine. As TCP does, it loses nothing and keeps the order, sick or not. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** What has passed so far, both ways. */
  readonly bytes: number
  be(wire: Wire): void
}

interface Held {
  readonly bytes: Buffer
  readonly since: number
}

export async function startTcpProxy(to: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const pumps = new Set<() => void>()
  let wire: Wire = 'good'
  let passed = 0
  const pass = (from: Socket, into: Socket): void => {
    const held: Held[] = []
    let timer: NodeJS.Timeout | undefined
    const pump = (): void => {
      clearTimeout(timer)
      for (let [first] = held; first; [first] = held) {
        const waitMs = waitOf(wire, first, performance.now())
        if (waitMs > 0) {
          if (waitMs < Infinity) timer = setTimeout(pump, waitMs)
          return
        }
        held.shift()
        passed += first.bytes.length
        into.write(first.bytes)
      }
    }
    sockets.add(from)
    pumps.add(pump)
    from.on('error', () => into.destroy())
    from.on('close', () => {
      sockets.delete(from)
      pumps.delete(pump)
      clearTimeout(timer)
      into.destroy()
    })
    from.on('data', (bytes) => {
      held.push({ bytes, since: performance.now() })
      pump()
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
      for (const pump of pumps) pump()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Milliseconds until the first that waits may go on. */
function waitOf(wire: Wire, { since }: Held, now: number): number {
  if (typeof wire === 'string') return wire === 'good' ? 0 : Infinity
  return since + wire.lateMs - now
}
