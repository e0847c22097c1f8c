import { readFileSync } from 'node:fs'
import { InvalidArgumentError, type Command } from 'commander'
import { expandTree } from '#config/expand'
import { server, type Server, type ServerRegistration } from '#contract/server'
import { CliError } from '../cli-error.ts'
import { connect, plainCommand, print, withProgress, type CommonOptions } from '../command.ts'
import { readAnswer, type Answer, type GatewayClient } from '../gateway-client.ts'
import type { CliIo } from '../io.ts'
import { plainLine } from '../plain-text.ts'
import type { CliContext } from '../program.ts'

interface AddOptions extends CommonOptions {
  readonly url?: string
  readonly header?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly transport?: ServerRegistration['transport']
  readonly prefix?: string
  readonly description?: string
  readonly gateway?: string
  readonly wait: number
}

const WAIT_SECONDS = 20
const SECRETS = `
Others on this machine can read arguments. In the values of --header and --env, \${NAME} stands for the variable NAME of
your environment, and \${file:PATH} for what a file holds.`
const POLL_MS = 250

export function addAddCommand(program: Command, { io }: CliContext): void {
  plainCommand(program, {
    usage: 'add <name> [command...]',
    summary: 'put an MCP server behind the gateway',
    examples: [
      'add files -- npx -y @modelcontextprotocol/server-filesystem /home/me/docs',
      `add issues --url https://mcp.example.com/mcp --header 'Authorization: Bearer \${TOKEN}'`,
    ],
  })
    .option('--url <address>', 'address of a server that runs elsewhere')
    .option('--header <name:value>', 'sent with every request; may be repeated', pairs(':'))
    .option('--env <name=value>', "in the command's environment; may be repeated", pairs('='))
    .addHelpText('after', SECRETS)
    .option('--cwd <directory>', 'where the command runs')
    .option('--transport <kind>', 'auto, streamable-http, sse or websocket')
    .option('--prefix <text>', 'before its tools\' names; "" leaves them unchanged')
    .option('--description <text>')
    .option('--wait <seconds>', 'for the first connection; 0 does not wait', seconds, WAIT_SECONDS)
    .option('--gateway <address>', 'of the gateway (default: the one that runs here)')
    .action(async (name: string, command: string[], options: AddOptions) => {
      const client = connect(options.gateway === undefined ? {} : { url: options.gateway }, io)
      const body = JSON.stringify(registration(name, command, filled(options, io)))
      const added = await client.post('proxy/servers', body)
      const { answer, shown } = await withProgress(io, `Connecting to ${name}`, settled(client, added, options.wait))
      print(io, options, { json: answer.value, text: () => outcome(shown) })
      warnIfDown(io, shown)
    })
}

function registration(name: string, [command, ...args]: readonly string[], options: AddOptions): ServerRegistration {
  const { url, header, env, cwd, transport, prefix, description } = options
  if ((command === undefined) === (url === undefined))
    throw new CliError('A server needs either a command after "--" or --url; see metamcp add --help')
  const common = { name, transport, prefix, description }
  return command === undefined ? { ...common, url, headers: header } : { ...common, command, args, env, cwd }
}

/** The places in its secrets filled, by the rules of the config file. */
function filled(options: AddOptions, { env }: CliIo): AddOptions {
  const context = { env, readFile: (path: string) => readFileSync(path, 'utf8'), report }
  const values = (given: AddOptions['header']) => expandTree(given ?? {}, context) as NonNullable<typeof given>
  return {
    ...options,
    ...(options.header ? { header: values(options.header) } : {}),
    ...(options.env ? { env: values(options.env) } : {}),
  }
}

function report(_path: unknown, text: string): never {
  throw new CliError(text.charAt(0).toUpperCase() + text.slice(1))
}

interface Settled {
  readonly answer: Answer
  readonly shown: Server
}

/** The server once it is no longer connecting, or as it is when the patience ends. */
async function settled(client: GatewayClient, added: Answer, waitSeconds: number): Promise<Settled> {
  const end = Date.now() + waitSeconds * 1000
  let answer = added
  for (;;) {
    const shown = readAnswer(server, answer, client.url)
    if (shown.status !== 'connecting' || Date.now() >= end) return { answer, shown }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    answer = await client.get(`proxy/servers/${encodeURIComponent(shown.server_id)}`)
  }
}

function outcome({ name, status, tool_count: count }: Server): string {
  return `Added ${plainLine(name)}: ${status}, ${count} ${count === 1 ? 'tool' : 'tools'}.`
}

function warnIfDown(io: CliIo, { name, status, status_reason: reason }: Server): void {
  if (status === 'online' || status === 'disabled') return
  io.stderr.write(`metamcp: ${plainLine(name)} is added but ${status}: ${plainLine(reason)}\n`)
}

function pairs(separator: string) {
  return (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const at = text.indexOf(separator)
    if (at < 1) throw new InvalidArgumentError(`it looks like NAME${separator}VALUE`)
    return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() }
  }
}

function seconds(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0 && value <= 3600) return value
  throw new InvalidArgumentError('it is a number of seconds up to 3600')
}
