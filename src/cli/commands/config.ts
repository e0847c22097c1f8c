import { resolve } from 'node:path'
import type { Command } from 'commander'
import { dataDirOf } from '#config/load'
import { environmentName } from '#config/settings'
import type { JsonObject } from '#kernel/json'
import { CliError } from '../cli-error.ts'
import { mcpClients, type McpClient } from '../clients.ts'
import { gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { DEFAULT_URL, findGateway, runningUrl } from '../find-gateway.ts'
import type { CliIo } from '../io.ts'
import type { CliContext } from '../program.ts'

interface ConfigOptions extends GatewayOptions {
  readonly namespace?: string
}

const ENTRY_NAME = 'metamcp'
const DATA_DIR_VARIABLE = environmentName('data_dir')
const ANY_CLIENT: McpClient = {
  title: 'any MCP client',
  files: [],
  section: 'mcpServers',
  http: (url) => ({ type: 'http', url }),
}

export function addConfigCommand(program: Command, context: CliContext): void {
  const { io } = context
  const clients = mcpClients(io)
  gatewayCommand(program, {
    usage: 'config',
    summary: "print the entry for an MCP client's configuration, ready to paste",
    examples: ['config cursor', 'config claude --namespace dev'],
  })
    .argument('[client]', `one of ${Object.keys(clients).join(', ')}`)
    .option('--namespace <name>', 'offer the tools of this namespace only')
    .action((name: string | undefined, options: ConfigOptions) => {
      const client = name === undefined ? ANY_CLIENT : Object.hasOwn(clients, name) ? clients[name] : undefined
      if (!client) throw new CliError(`There is no client "${name}"; known are ${Object.keys(clients).join(', ')}`)
      const entry = entryOf(client, options, context)
      print(io, options, { json: { client: name ?? null, ...entry }, text: () => entryText(client, entry) })
    })
}

interface Entry {
  readonly files: readonly string[]
  readonly endpoint: string
  readonly http: JsonObject | null
  readonly stdio: JsonObject
  readonly command: string | null
}

function entryOf(client: McpClient, options: ConfigOptions, { io, self }: CliContext): Entry {
  const { namespace } = options
  const path = namespace === undefined ? '/mcp' : `/mcp/${encodeURIComponent(namespace)}`
  const gateway = options.url === undefined ? (runningUrl(io) ?? DEFAULT_URL) : findGateway(options.url, io)
  const endpoint = gateway + path
  const [node, script] = self
  const args = [
    script,
    'stdio',
    ...(namespace === undefined ? [] : ['--namespace', namespace]),
    ...(options.url === undefined ? dataDirArguments(io) : ['--url', gateway]),
  ]
  return {
    files: client.files,
    endpoint,
    http: client.http ? { [client.section]: { [ENTRY_NAME]: client.http(endpoint) } } : null,
    stdio: { [client.section]: { [ENTRY_NAME]: { command: node, args } } },
    command: client.hint?.(endpoint) ?? null,
  }
}

/** Clients start the command without the environment that this one has. */
function dataDirArguments({ env }: CliIo): string[] {
  return env[DATA_DIR_VARIABLE] ? ['--data-dir', resolve(dataDirOf(env))] : []
}

function entryText(client: McpClient, { files, http, stdio, command }: Entry): string {
  return [
    files.length > 0 ? `For ${client.title}, in ${files.join(' or ')}` : `For ${client.title}`,
    ...(http ? ['', 'Over HTTP, while the gateway runs:', JSON.stringify(http, null, 2)] : []),
    '',
    'As a command:',
    JSON.stringify(stdio, null, 2),
    ...(command === null ? [] : ['', `Or run: ${command}`]),
  ].join('\n')
}
