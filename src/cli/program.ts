import { Command, CommanderError } from 'commander'
import type { ConfigFlags } from '#config/load'
import { messageOf } from '#kernel/errors'
import { GATEWAY_INFO } from '#kernel/protocol'
import { addAuditCommand, type AuditReader } from './commands/audit.ts'
import { addAddCommand } from './commands/add.ts'
import { addCallCommand } from './commands/call.ts'
import { addConfigCommand } from './commands/config.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addHealthCommand } from './commands/health.ts'
import { addImportCommand } from './commands/import.ts'
import { addKeyCommand } from './commands/key.ts'
import { addLoginCommand } from './commands/login.ts'
import { addLogoutCommand } from './commands/logout.ts'
import { addRemoveCommand } from './commands/remove.ts'
import { addSearchCommand } from './commands/search.ts'
import { addSecretsCommand } from './commands/secrets.ts'
import { addServeCommand } from './commands/serve.ts'
import { addServersCommand } from './commands/servers.ts'
import { addStdioCommand } from './commands/stdio.ts'
import { addToolsCommand } from './commands/tools.ts'
import { addUserCommand } from './commands/user.ts'
import type { CliIo } from './io.ts'

export interface ServeFlags extends ConfigFlags {
  readonly json?: boolean
}

export interface StdioFlags extends ServeFlags {
  readonly namespace?: string
  /** Attach to this gateway; absent: to the one that runs here, else be one. */
  readonly url?: string
}

/** What `main.ts` brings: the two commands that are a gateway, each resolves to the exit code, and what reads a stopped one's data. */
export interface GatewayCommands {
  serve(flags: ServeFlags): Promise<number>
  stdio(flags: StdioFlags): Promise<number>
  /** The audit of a gateway that does not run. */
  audit(flags: ConfigFlags): Promise<AuditReader>
}

/** What a command's file needs to add itself to the program. */
export interface CliContext {
  readonly io: CliIo
  readonly commands: GatewayCommands
  /** Node and the script that run now: what another program has to start to get this one. */
  readonly self: readonly [node: string, script: string]
  /** Says how the process shall end; 0 unless a command says otherwise. */
  exitWith(code: number): void
}

/** Runs one command line (`process.argv`) and resolves to the exit code. Failures become one sentence on stderr. */
export async function runCli(argv: readonly string[], io: CliIo, commands: GatewayCommands): Promise<number> {
  const [node = 'node', script = 'metamcp'] = argv
  let exitCode = 0
  const exitWith = (code: number): void => {
    exitCode = code
  }
  try {
    await createProgram({ io, commands, self: [node, script], exitWith }).parseAsync([...argv])
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    io.stderr.write(`metamcp: ${messageOf(error)}\n`)
    return 1
  }
}

const COMMANDS = [
  addServeCommand,
  addStdioCommand,
  addAddCommand,
  addRemoveCommand,
  addServersCommand,
  addImportCommand,
  addToolsCommand,
  addSearchCommand,
  addCallCommand,
  addConfigCommand,
  addLoginCommand,
  addLogoutCommand,
  addUserCommand,
  addKeyCommand,
  addSecretsCommand,
  addHealthCommand,
  addDoctorCommand,
  addAuditCommand,
]

function createProgram(context: CliContext): Command {
  const { stdout, stderr } = context.io
  const program = new Command('metamcp')
    .description('One endpoint for all the tools of your AI agents.')
    .version(GATEWAY_INFO.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      outputError: (text, write) => write(text.replace(/^error:/, 'metamcp:')),
    })
    .addHelpText('after', '\nExample: metamcp serve --config metamcp.yaml\nSettings: docs/reference/settings.md')
  for (const addCommand of COMMANDS) addCommand(program, context)
  return program
}
