import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { freePort } from './free-port.ts'

const START_TIMEOUT_MS = 30_000

/** A Redis of our own, on 127.0.0.1 only, that keeps nothing. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** `SIGKILL`, `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void
  close(): Promise<void>
}

/** Whether this machine has one. */
export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

/**
 * The shell holds the other end of our pipe: however this process ends, kill -9 included, the pipe closes and the shell
 * stops the server.
 */
const KEEPER = `
  redis-server --bind 127.0.0.1 --port "$1" --save '' --appendonly no --daemonize no </dev/null &
  server=$!
  echo "pid $server"
  cat >/dev/null
  kill -KILL $server 2>/dev/null
  wait $server 2>/dev/null
`

/** On a free port, or on the one that another server had before. */
export async function startRedisServer(port?: number): Promise<RedisServer> {
  const place = port ?? (await freePort())
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', String(place)], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
  const pid = await ready(keeper)
  const close = async (): Promise<void> => {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return
    const exit = once(keeper, 'exit')
    keeper.stdin?.end()
    await exit
  }
  return {
    url: `redis://127.0.0.1:${place}`,
    port: place,
    signal: (signal) => void process.kill(pid, signal),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function ready(keeper: ChildProcess): Promise<number> {
  if (!keeper.stdout) throw new Error('no output of redis-server')
  const said: string[] = []
  const timer = setTimeout(() => keeper.stdin?.end(), START_TIMEOUT_MS)
  try {
    for await (const line of createInterface({ input: keeper.stdout })) {
      said.push(line)
      if (line.includes('Ready to accept connections')) return Number(said[0]?.replace('pid ', ''))
    }
  } finally {
    clearTimeout(timer)
    keeper.stdout.resume()
  }
  throw new Error(`redis-server did not start:\n${said.join('\n')}`)
}
