import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runCli } from '#cli/program'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const RUN_MS_MAX = 30_000

export interface CliRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string
}

const none = () => Promise.reject(new Error('This test starts no gateway'))

/** Runs one command line in this process, in a world of its own. For commands that are no gateway themselves. */
export async function runCommand(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { env = {}, cwd = process.cwd(), stdin = '' } = options
  const out = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof out) => ({ write: (written: string) => void (out[name] += written) })
  const io = {
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env,
    home: env['HOME'] ?? cwd,
    cwd,
    platform: process.platform,
  }
  const code = await runCli([process.execPath, MAIN, ...args], io, { serve: none, stdio: none, audit: none })
  return { code, ...out }
}

/** Runs one command line of ours in a process to its end, in an environment without any of the tests' settings. */
export async function runProcess(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { env = {}, cwd, stdin = '' } = options
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('META_MCP_'))
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...Object.fromEntries(own), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
  child.stdin.end(stdin)
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  clearTimeout(timer)
  return { code, stdout, stderr }
}
