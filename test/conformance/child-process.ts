import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

const STDERR_KEPT = 4000

export type Child = AsyncDisposable & { lines: AsyncIterable<string>; stderr: () => string; stop: () => Promise<void> }

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A node program of ours: SIGTERM, then SIGKILL, and nothing left when this process ends. */
export function startNode(args: string[], env: Record<string, string> = {}): Child {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  void closed.then(() => running.delete(child))
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    await closed
    clearTimeout(timer)
  }
  const lines = createInterface({ input: child.stdout })
  return { lines, stderr: () => stderr, stop, [Symbol.asyncDispose]: stop }
}

/** The first line that `pick` recognises. The rest of stdout is drained. */
export async function firstLine<T>(
  child: Child,
  pick: (line: string) => T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => timeout.reject(new Error(`silent for ${timeoutMs} ms\n${child.stderr()}`)), timeoutMs)
  const found = new Promise<T>((resolve, reject) => {
    void (async () => {
      for await (const line of child.lines) {
        const value = pick(line)
        if (value !== undefined) resolve(value)
      }
      reject(new Error(`ended before it was ready\n${child.stderr()}`))
    })()
  })
  return await Promise.race([found, timeout.promise]).finally(() => clearTimeout(timer))
}

/** Runs to its end; undefined: it had to be killed. */
export async function runNode(
  args: string[],
  env: Record<string, string>,
  timeoutMs: number,
): Promise<{ code: number | undefined; output: string }> {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  running.delete(child)
  return { code: code ?? undefined, output }
}
