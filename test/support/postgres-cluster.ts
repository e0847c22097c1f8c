import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from './free-port.ts'

const PG_CONFIG = 'pg_config'
const VERSIONS = '/usr/lib/postgresql'
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000

/** A PostgreSQL of our own, on 127.0.0.1 only, whose data is gone when it is closed. */
export interface Cluster {
  readonly url: string
  /** Ends the server at once, as a crash would; its data stays. */
  crash(): Promise<void>
  /** Starts it again, at the same address. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** The directory of the newest `initdb` and `postgres` of this machine. */
export function findPostgres(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((one, other) => Number(other) - Number(one)) : []
  const places = [
    ...versions.map((version) => join(VERSIONS, version, 'bin')),
    configuredDirectory(),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  return places.find((place) => place && existsSync(join(place, 'initdb')) && existsSync(join(place, 'postgres')))
}

function configuredDirectory(): string | undefined {
  const { stdout } = spawnSync(PG_CONFIG, ['--bindir'], { encoding: 'utf8' })
  return stdout ? stdout.trim() : undefined
}

/**
 * The shell holds the other end of our pipe: however this process ends, kill -9 included, the pipe closes,
 * the shell stops the server and removes the directory.
 */
const KEEPER = `
  bin=$1 directory=$2 port=$3
  start() {
    "$bin/postgres" -D "$directory/data" -k "$directory" -p "$port" -h 127.0.0.1 -c fsync=off -c synchronous_commit=off \
      -c full_page_writes=off -c logging_collector=off -c log_destination=stderr </dev/null &
    server=$!
  }
  start
  while read -r order; do
    case $order in
      crash) kill -QUIT $server; wait $server; echo 'the server has crashed' >&2 ;;
      start) start ;;
    esac
  done
  kill -INT $server
  wait $server
  rm -rf "$directory"
`

const READY = 'ready to accept connections'
const CRASHED = 'the server has crashed'

/** Makes and starts a cluster in a temporary directory; rejects with what the server said when it does not start. */
export async function startCluster(): Promise<Cluster> {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('PostgreSQL is not installed')
  const user = serverUser()
  const directory = mkdtempSync(join(tmpdir(), 'metamcp-pg-'))
  const options = { cwd: directory, env: { ...process.env, HOME: directory, LC_ALL: 'C' }, ...user }
  try {
    if (user.uid !== undefined) chownSync(directory, user.uid, user.gid)
    const initdb = ['-D', join(directory, 'data'), '-U', 'metamcp', '-A', 'trust', '-E', 'UTF8', '--no-sync']
    execFileSync(join(bin, 'initdb'), initdb, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    const port = await freePort()
    const keeper = spawn('sh', ['-c', KEEPER, 'sh', bin, directory, String(port)], {
      ...options,
      stdio: ['pipe', 'ignore', 'pipe'],
      // Ctrl-C in the terminal is for vitest, which then closes the cluster.
      detached: true,
    })
    const said = heard(keeper)
    await said.untilSays(READY)
    const order = (word: string, outcome: string): Promise<void> => {
      keeper.stdin?.write(`${word}\n`)
      return said.untilSays(outcome)
    }
    return {
      url: `postgres://metamcp@127.0.0.1:${port}/postgres`,
      crash: () => order('crash', CRASHED),
      restart: () => order('start', READY),
      close: () => stop(keeper, directory),
    }
  } catch (thrown) {
    rmSync(directory, { recursive: true, force: true })
    throw thrown
  }
}

/** As whom the server runs: `initdb` refuses root. */
export function serverUser(): { uid: number; gid: number } | { uid?: undefined; gid?: undefined } {
  if (process.getuid?.() !== 0) return {}
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find((account) => account.startsWith(`${name}:`))?.split(':') ?? []
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL does not run as root, and this machine has neither the user postgres nor nobody')
}

interface Heard {
  /** Rejects with what the server has said when it dies before, or says nothing of the kind in time. */
  untilSays(words: string): Promise<void>
}

function heard(keeper: ChildProcess): Heard {
  const lines: string[] = []
  let wanted: { readonly words: string; readonly promise: PromiseWithResolvers<void> } | undefined
  const give = (): void => wanted?.promise.reject(new Error(`PostgreSQL did not get there:\n${lines.join('\n')}`))
  if (keeper.stderr) {
    const reader = createInterface({ input: keeper.stderr })
    reader.on('line', (line) => {
      lines.push(line)
      if (wanted && line.includes(wanted.words)) wanted.promise.resolve()
      else if (line.includes('could not') && wanted?.words === READY) give()
    })
    reader.on('close', give)
  }
  return {
    async untilSays(words) {
      lines.length = 0
      wanted = { words, promise: Promise.withResolvers<void>() }
      const timer = setTimeout(give, START_TIMEOUT_MS)
      await wanted.promise.promise.finally(() => clearTimeout(timer))
    },
  }
}

async function stop(keeper: ChildProcess, directory: string): Promise<void> {
  if (keeper.exitCode === null && keeper.signalCode === null) {
    const exit = once(keeper, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) })
    keeper.stdin?.end()
    await exit
  }
  rmSync(directory, { recursive: true, force: true })
}
