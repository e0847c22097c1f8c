import { closeSync, openSync } from 'node:fs'
import { homedir } from 'node:os'
import { environment, type Environment } from '#config/env'

export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** The world as commands see it; tests give their own. */
export interface CliIo {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Environment
  readonly home: string
  readonly cwd: string
  readonly platform: NodeJS.Platform
}

/** The process's own streams and places. */
export function processIo(): CliIo {
  const { stdin, stdout, stderr, platform } = process
  return { stdin, stdout, stderr, platform, env: environment(), home: homedir(), cwd: process.cwd() }
}

/** Whether there is (still) a terminal in which somebody could press Ctrl-C. */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
