import { realpath } from 'node:fs/promises'
import { isAbsolute, relative, resolve } from 'node:path'
import type { Connection } from '#registry/records'
import { environmentProblem } from './environment-rules.ts'
import { programName, SHELLS } from './program-names.ts'
import { isKnownProgram, programProblem } from './program-rules.ts'

type Command = Extract<Connection, { kind: 'stdio' }>

/** Why a command that somebody asks for over the API may not run; undefined when it may. */
export async function commandProblem(connection: Command, dataDir: string): Promise<string | undefined> {
  const { command, args, env, cwd } = connection
  return (
    pathProblem(command) ??
    textProblem(args) ??
    environmentProblem(env) ??
    programProblem(command, args) ??
    (await linkProblem(command, args)) ??
    (cwd === undefined ? undefined : await directoryProblem(cwd, dataDir))
  )
}

const BARE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/
const ABSOLUTE_PATH = /^([A-Za-z]:[\\/]|\/)[A-Za-z0-9._+@-]+([\\/][A-Za-z0-9._+@-]+)*$/

function pathProblem(command: string): string | undefined {
  if (BARE_NAME.test(command)) return undefined
  const isPlain = ABSOLUTE_PATH.test(command) && !/[\\/]\.{1,2}([\\/]|$)/.test(command)
  if (!isPlain) return 'it must be a name without a path, or an absolute path of plain characters'
  return /^\/(dev|proc|sys)\//.test(command) ? 'it is no ordinary file' : undefined
}

function textProblem(args: readonly string[]): string | undefined {
  if (args.some((arg) => /[\0\r\n]/.test(arg))) return 'an argument holds a line break or U+0000'
  if (args.some((arg) => /(^|=)data:/i.test(arg))) return 'an argument holds code as a data: address'
  return args.some(namesShell) ? 'an argument names a shell' : undefined
}

/** `bash`, `/bin/sh`, and a whole line such as `sh -c id` for programs that run what they are given. */
function namesShell(arg: string): boolean {
  const [word = '', next = '-'] = arg.trim().split(/\s+/)
  return next.startsWith('-') && SHELLS.has(programName(word))
}

/** What a path leads to counts as well: a shell by another name is a shell. */
async function linkProblem(command: string, args: readonly string[]): Promise<string | undefined> {
  if (!isAbsolute(command)) return undefined
  const target = await realpath(command).catch(() => command)
  return isKnownProgram(target) ? programProblem(target, args) : undefined
}

async function directoryProblem(cwd: string, dataDir: string): Promise<string | undefined> {
  const outside = 'its working directory is not inside the data directory'
  // eslint-disable-next-line no-control-regex -- what may not stand in a path is just what is looked for
  if (!isAbsolute(cwd) || /[\u0000-\u001f\u007f]/.test(cwd)) return outside
  const root = await realpath(dataDir).catch(() => resolve(dataDir))
  const place = await realpath(cwd).catch(() => resolve(cwd))
  const way = relative(root, place)
  return /^\.\.([\\/]|$)/.test(way) || isAbsolute(way) ? outside : undefined
}
