import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 8_000

/** Client and upstream share one core, what is measured has the other. */
export type Core = 'harness' | 'measured'
const CORE_NUMBER: Record<Core, string> = { harness: '0', measured: '1' }

const PIN = 'taskset'

export const canPin = availableParallelism() > 1 && spawnSync(PIN, ['-c', '1', 'true']).status === 0
/** Processor time a process and thread in nanoseconds: Linux only. */
export const canMeasureCpu = existsSync('/proc/self/schedstat')

export interface StartOptions {
  /** Absent: the scheduler decides. */
  readonly core?: Core
  readonly env?: Record<string, string>
  readonly ipc?: boolean
  /** Throws the logs away. */
  readonly quiet?: boolean
  /** Opens the inspector on a free port, which it tells on stderr. */
  readonly isInspected?: boolean
}

/** A Node process of the bench, stopped at the end of its scope. */
export interface Process extends AsyncDisposable {
  readonly pid: number
  readonly child: ChildProcess
  readonly startedAt: number
  /** Its first line on stdout: the port, or the gateway's line of addresses. */
  firstLine(timeoutMs?: number): Promise<string>
  /** The address of its inspector. */
  inspector(): Promise<string>
  stop(): Promise<void>
}

export function startNode(args: readonly string[], options: StartOptions = {}): Process {
  const pin = options.core !== undefined && canPin ? [PIN, '-c', CORE_NUMBER[options.core]] : []
  const inspect = options.isInspected === true ? ['--inspect=127.0.0.1:0'] : []
  const [command = process.execPath, ...rest] = [...pin, process.execPath, ...inspect, ...args]
  const stdio: StdioOptions = [
    'ignore',
    'pipe',
    options.isInspected === true ? 'pipe' : options.quiet === true ? 'ignore' : 'inherit',
    ...(options.ipc === true ? (['ipc'] as const) : []),
  ]
  const startedAt = performance.now()
  const child = spawn(command, rest, { stdio, env: { ...cleanEnv(), ...options.env } })
  const stop = (): Promise<void> => stopChild(child)
  const inspector = inspectorOf(child)
  return {
    pid: child.pid ?? -1,
    child,
    startedAt,
    firstLine: (timeoutMs = START_TIMEOUT_MS) => firstLine(child, args.at(0) ?? '', timeoutMs),
    inspector: () => inspector,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function cleanEnv(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('META_MCP_') && name !== 'NODE_OPTIONS')
  return Object.fromEntries(own)
}

function firstLine(child: ChildProcess, what: string, timeoutMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const timer = setTimeout(() => reject(new Error(`${what} said nothing for ${timeoutMs} ms`)), timeoutMs)
  child.once('close', (code) => reject(new Error(`${what} ended with ${code} before it was ready`)))
  if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve)
  return promise.finally(() => {
    clearTimeout(timer)
    child.stdout?.resume()
  })
}

function inspectorOf({ stderr }: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  if (stderr === null) return promise
  createInterface({ input: stderr }).on('line', (line) => {
    const [, address] = /^Debugger listening on (ws:\S+)/.exec(line) ?? []
    if (address !== undefined) resolve(address)
  })
  return promise
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('exit', () => resolve())
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await promise
  clearTimeout(timer)
}

/** What the scheduler says of all threads of a process so far, in nanoseconds; NaN where the system does not tell. */
export interface CpuTime {
  readonly usedNs: number
  /** Ready to run while somebody else had the core: the noise of a shared machine. */
  readonly waitedNs: number
}

export function cpuTime(pid: number): CpuTime {
  if (!canMeasureCpu) return { usedNs: Number.NaN, waitedNs: Number.NaN }
  const rows = readdirSync(`/proc/${pid}/task`).map((thread) => readProc(`${pid}/task/${thread}/schedstat`).split(' '))
  const sum = (column: number): number => rows.reduce((total, row) => total + Number(row[column] ?? 0), 0)
  return { usedNs: sum(0), waitedNs: sum(1) }
}

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readProc(`${pid}/status`))?.[1]) / 1024
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1')
  } catch {
    return ''
  }
}
