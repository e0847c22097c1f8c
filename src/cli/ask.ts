import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import { CliError } from './cli-error.ts'
import type { CliIo } from './io.ts'

/** Options of commands that need a password: never as an argument, which every user of the machine could read. */
export interface PasswordOptions {
  readonly passwordStdin?: boolean
}

export const PASSWORD_OPTION = ['--password-stdin', 'read the password from stdin instead of asking for it'] as const

/** The password of stdin, else what is typed in a terminal, unseen. */
export async function askPassword(io: CliIo, question: string, options: PasswordOptions): Promise<string> {
  if (options.passwordStdin) return (await readAll(io.stdin)).replace(/\r?\n$/, '')
  if (!io.stdin.isTTY) throw new CliError('There is no terminal to ask for the password in; use --password-stdin')
  return typed(io, question, { isHidden: true })
}

/** A password that somebody chooses: typed twice. */
export async function askNewPassword(io: CliIo, options: PasswordOptions): Promise<string> {
  const password = await askPassword(io, 'Password: ', options)
  if (options.passwordStdin || (await askPassword(io, 'Once more: ', options)) === password) return password
  throw new CliError('The two passwords are not the same')
}

/** One line of a terminal. */
export async function askLine(io: CliIo, question: string): Promise<string> {
  return (await typed(io, question, { isHidden: false })).trim()
}

async function typed(io: CliIo, question: string, { isHidden }: { readonly isHidden: boolean }): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      io.stderr.write(chunk.toString())
      done()
    },
  })
  io.stderr.write(question)
  const reader = createInterface({ input: io.stdin, output: isHidden ? nowhere : output, terminal: true })
  const given = new AbortController()
  reader.once('SIGINT', () => given.abort())
  reader.once('close', () => given.abort())
  try {
    return await reader.question('', { signal: given.signal })
  } catch (cause) {
    throw new CliError('Nothing was given', { cause })
  } finally {
    reader.close()
    if (isHidden) io.stderr.write('\n')
  }
}
