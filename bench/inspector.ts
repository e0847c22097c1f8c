import type { Profile } from './profile.ts'

const ANSWER_MS_MAX = 30_000

/** The inspector of a process that was started with `--inspect=127.0.0.1:0`. */
export interface Inspector extends Disposable {
  /** Bytes of the heap that are alive, and what they hold outside of it. */
  liveBytes(): Promise<number>
  /** What runs while `act` does. */
  profile(act: () => Promise<void>): Promise<Profile>
}

interface Reply {
  readonly id?: number
  readonly error?: { readonly message: string }
  readonly result?: object
}

interface HeapUsage {
  readonly usedSize: number
  readonly backingStorageSize?: number
}

/** `address` is what the process says of itself: ws://… */
export async function openInspector(address: string): Promise<Inspector> {
  const socket = new WebSocket(address)
  const waiting = new Map<number, (reply: Reply) => void>()
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true })
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)), { once: true })
  })
  let lastId = 0
  const ask = async <T extends object>(method: string): Promise<T> => {
    const id = (lastId += 1)
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS_MAX)
    waiting.set(id, resolve)
    socket.send(JSON.stringify({ id, method }))
    const { error, result = {} } = await promise.finally(() => clearTimeout(timer))
    if (error) throw new Error(`${method}: ${error.message}`)
    return result as T
  }
  return {
    async profile(act) {
      await ask('Profiler.enable')
      await ask('Profiler.start')
      await act()
      return (await ask<{ profile: Profile }>('Profiler.stop')).profile
    },
    async liveBytes() {
      // What finalizers free is gone only at the next collection.
      for (let time = 0; time < 3; time += 1) await ask('HeapProfiler.collectGarbage')
      const { usedSize, backingStorageSize = 0 } = await ask<HeapUsage>('Runtime.getHeapUsage')
      return usedSize + backingStorageSize
    },
    [Symbol.dispose]: () => socket.close(),
  }
}
