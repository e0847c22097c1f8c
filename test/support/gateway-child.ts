import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { apiClient, type ApiClient } from './api-client.ts'
import { OPEN } from './open.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const LISTEN_MS_MAX = 20_000

/** A gateway in a process of its own. */
export interface GatewayChild extends AsyncDisposable {
  readonly pid: number
  readonly url: string
  readonly mcp: string
  /** Of its first start. */
  readonly first: { readonly administrator?: { readonly password?: string }; readonly api_key?: string }
  readonly api: ApiClient
  /** From spawn to its line on stdout. */
  readonly listenedAfterMs: number
  /** What it wrote to stderr. */
  log(): string
  signal(signal: NodeJS.Signals): void
  /** The exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>
}

export interface GatewayChildOptions {
  readonly directory: string
  readonly file?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly port?: number
}

/** A gateway of which nobody knows yet whether it will listen. */
interface Spawned {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly exited: Promise<number | null>
  log(): string
}

export async function spawnGateway({ directory, file, env = {}, port = 0 }: GatewayChildOptions): Promise<Spawned> {
  await mkdir(directory, { recursive: true })
  const config = join(directory, 'metamcp.json')
  await writeFile(config, JSON.stringify(file ?? { servers: {} }))
  const args = [MAIN, 'serve', '--config', config, '--port', String(port), '--data-dir', join(directory, 'data')]
  const child = spawn(process.execPath, args, {
    env: { ...ownEnvironment(), ...OPEN, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  return { child, exited, log: () => log }
}

export async function startGatewayChild(options: GatewayChildOptions): Promise<GatewayChild> {
  const startedAt = performance.now()
  const { child, exited, log } = await spawnGateway(options)
  const patience = setTimeout(() => child.kill('SIGKILL'), LISTEN_MS_MAX)
  const listening = new Promise<GatewayChild['first'] & { url: string; mcp: string }>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line) as never))
    void exited.then(() => reject(new Error(`the gateway ended before it listened\n${log()}`)))
  })
  const { url, mcp, ...first } = await listening.finally(() => clearTimeout(patience))
  return {
    pid: child.pid ?? 0,
    url,
    mcp,
    first,
    api: apiClient(url),
    listenedAfterMs: performance.now() - startedAt,
    log,
    signal: (signal) => void child.kill(signal),
    exited,
    async [Symbol.asyncDispose]() {
      const kill = setTimeout(() => child.kill('SIGKILL'), 15_000)
      child.kill('SIGTERM')
      await exited
      clearTimeout(kill)
    },
  }
}

/** What the tests themselves are told is no setting of a gateway. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('META_MCP_')))
}

/** The path of a small server in `sick/` as an entry of the operator's file. */
export function sick(name: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { command: process.execPath, args: [join(import.meta.dirname, 'sick', `${name}.ts`)], ...more }
}
