import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { AppError, messageOf } from '#kernel/errors'
import { oneLine } from '#kernel/json-text'
import type { Connection } from '#registry/records'
import { childEnvironment, withoutUser } from './child-environment.ts'
import { CHILD_MARK, guardGroup, killTree, type Environment } from './child-process-tree.ts'
import { createLineSplitter } from './line-splitter.ts'
import type { Transport, TransportEvents, TransportLimits } from './transport.ts'

/** A server that ends itself when its input ends gets this long before it is told to. */
const EXIT_AFTER_EOF_MS = 300
/** A server that was told to end gets this long before it is killed. */
const EXIT_AFTER_SIGTERM_MS = 2000
/** What we hold for a server that does not read. */
const UNREAD_BYTES_MAX = 64 * 1024 * 1024
/** A pipe that somebody holds open although the server has ended is given up after this. */
const LAST_WORDS_MS = 500
const STDERR_LINE_BYTES_MAX = 64 * 1024

export interface StdioOptions {
  readonly connection: Extract<Connection, { kind: 'stdio' }>
  readonly inherited: Environment
  /** As whom it runs; absent for the gateway's own user. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  /** Marks the child and all it starts; unique per child. */
  readonly mark: string
  readonly limits: TransportLimits
}

/** A line of stderr that may say why a process ends. */
const COMPLAINT = /error|exception|cannot|not found|denied|failed|usage:/i
const COMPLAINT_CHARS_MAX = 300

/** Starts a server as a child in a process group of its own and speaks JSON lines with it. */
export function openStdio(options: StdioOptions, events: TransportEvents): Transport {
  const { connection, mark, limits } = options
  const child = startChild(options)
  const exited = whenExited(child)
  guardGroup(child.pid, exited)
  const complaint = listenToStderr(child.stderr, events)
  let ended: AppError | undefined
  const end = (error: AppError): void => {
    if (ended) return
    ended = error
    events.closed(error)
  }
  child.on('error', (error) => end(unavailable(startFailure(connection, error), error)))
  child.on('exit', (code, signal) => {
    killTree(child.pid, mark, 'SIGKILL')
    const over = (): void =>
      end(unavailable(`The server process ended (${signal ?? `exit code ${code}`})${complaint()}`))
    // What it said last may still be in the pipe.
    const patience = setTimeout(over, LAST_WORDS_MS)
    child.once('close', () => {
      clearTimeout(patience)
      over()
    })
  })
  child.stdin.on('error', (error) => events.log('gateway', `writing to the server failed: ${messageOf(error)}`))
  readLines(child.stdout, limits.messageBytesMax, {
    line: (line) => (looksLikeMessage(line) ? events.message(line) : events.log('stdout', line)),
    tooLong() {
      end(unavailable(`The server sent a line of more than ${limits.messageBytesMax} bytes`))
      killTree(child.pid, mark, 'SIGKILL')
    },
  })
  return {
    kind: 'stdio',
    hasCallStreams: false,
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    send({ text, requestId, delivered }) {
      if (ended) {
        if (requestId !== undefined) events.failed(requestId, ended)
      } else if (child.stdin.writableLength > UNREAD_BYTES_MAX) {
        end(unavailable('The server does not read its input'))
        killTree(child.pid, mark, 'SIGKILL')
      } else child.stdin.write(`${oneLine(text)}\n`)
      delivered?.()
    },
    abandon() {},
    answered() {},
    async close() {
      end(unavailable('The session was closed'))
      await stopChild(child, mark, exited)
    },
  }
}

function startChild({ connection, user, mark, ...options }: StdioOptions): ChildProcessWithoutNullStreams {
  const inherited = user ? withoutUser(options.inherited) : options.inherited
  return spawn(connection.command, connection.args, {
    ...(connection.cwd === undefined ? {} : { cwd: connection.cwd }),
    ...user,
    env: { ...childEnvironment(inherited, connection.env), [CHILD_MARK]: mark },
    detached: true,
    windowsHide: true,
    stdio: 'pipe',
  })
}

/** Logs what the server writes there; answers how to ask for the last line that may say why it ends. */
function listenToStderr(stderr: NodeJS.ReadableStream, events: TransportEvents): () => string {
  let complaint = ''
  readLines(stderr, STDERR_LINE_BYTES_MAX, {
    line(line) {
      if (COMPLAINT.test(line)) complaint = `: ${line.trim().slice(0, COMPLAINT_CHARS_MAX)}`
      events.log('stderr', line)
    },
    tooLong: () => events.log('stderr', `(a line of more than ${STDERR_LINE_BYTES_MAX} bytes)`),
  })
  return () => complaint
}

/** Asks by end of input, then by SIGTERM, then kills the whole tree. Resolves when the child is gone. */
async function stopChild(child: ChildProcessWithoutNullStreams, mark: string, exited: Promise<void>): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  child.stdin.end()
  const terminate = setTimeout(() => killTree(pid, mark, 'SIGTERM'), EXIT_AFTER_EOF_MS)
  const kill = setTimeout(() => killTree(pid, mark, 'SIGKILL'), EXIT_AFTER_EOF_MS + EXIT_AFTER_SIGTERM_MS)
  await exited
  clearTimeout(terminate)
  clearTimeout(kill)
  child.stdout.destroy()
  child.stderr.destroy()
}

function whenExited(child: ChildProcessWithoutNullStreams): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => {
      if (child.pid === undefined) resolve()
    })
  })
}

interface LineEvents {
  line(line: string): void
  tooLong(): void
}

function readLines(stream: NodeJS.ReadableStream, lineBytesMax: number, events: LineEvents): void {
  let splitter = createLineSplitter(lineBytesMax)
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const line of splitter.push(chunk)) if (line !== '') events.line(line)
    } catch {
      splitter = createLineSplitter(lineBytesMax)
      events.tooLong()
    }
  })
}

function looksLikeMessage(line: string): boolean {
  const first = line.trimStart()[0]
  return first === '{' || first === '['
}

function startFailure(connection: StdioOptions['connection'], error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return `The command ${connection.command} was not found`
  if (code === 'EACCES') return `The command ${connection.command} may not be executed`
  return `The command ${connection.command} did not start: ${error.message}`
}

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('upstream_unavailable', message, { cause })
}
