import type { Command } from 'commander'
import { apiKeyMade, apiKeyPage, type ApiKeyBody } from '#contract/api-key'
import { CliError } from '../cli-error.ts'
import { commandGroup, connect, gatewayCommand, print, repeated, type GatewayOptions } from '../command.ts'
import { readAnswer } from '../gateway-client.ts'
import { listAll } from '../list-all.ts'
import { plainLine } from '../plain-text.ts'
import type { CliContext } from '../program.ts'
import { table } from '../table.ts'

interface CreateOptions extends GatewayOptions {
  readonly user?: string
  readonly permission?: readonly string[]
  readonly namespace?: readonly string[]
  readonly address?: readonly string[]
  readonly expires?: string
}

interface ListOptions extends GatewayOptions {
  readonly user?: string
}

export function addKeyCommand(program: Command, context: CliContext): void {
  const group = commandGroup(program, {
    usage: 'key',
    summary: 'API keys, for MCP clients and programs',
    examples: ['key create cursor', 'key list', 'key revoke 019a1b2c-…'],
  })
  addCreate(group, context)
  addList(group, context)
  addRevoke(group, context)
}

function addCreate(group: Command, { io }: CliContext): void {
  gatewayCommand(group, {
    usage: 'create <name>',
    summary: 'make an API key and show it, this once',
    examples: ['key create cursor', 'key create nightly --permission "tools:*:reports__*" --expires 2027-01-01'],
  })
    .option('--user <name>', 'whose key it is (default: yours)')
    .option('--permission <text>', 'good for this only; may be repeated', repeated)
    .option('--namespace <name>', 'good for this only; may be repeated', repeated)
    .option('--address <range>', 'accepted from here only; may be repeated', repeated)
    .option('--expires <time>', 'a date, or an RFC 3339 time')
    .action(async (name: string, options: CreateOptions) => {
      const client = connect(options, io)
      const { user: owner, permission: permissions, namespace: namespaces, address: addresses } = options
      const wanted = { name, owner, permissions, namespaces, addresses, expires_at: timeOf(options.expires) }
      const answer = await client.post('api-keys', JSON.stringify(wanted))
      const { key } = readAnswer(apiKeyMade, answer, client.url)
      print(io, options, { json: answer.value, text: () => key })
      if (!options.json && io.stderr.isTTY) io.stderr.write('It is shown this once. Clients send it as: Bearer KEY\n')
    })
}

function addList(group: Command, { io }: CliContext): void {
  gatewayCommand(group, {
    usage: 'list',
    summary: 'list your API keys; on the machine of the gateway everybody’s',
    examples: ['key list', 'key list --user ann'],
  })
    .option('--user <name>', 'those of this user')
    .action(async (options: ListOptions) => {
      const path = options.user === undefined ? 'api-keys' : `api-keys?owner=${encodeURIComponent(options.user)}`
      const shape = { schema: apiKeyPage, items: (page: { api_keys: ApiKeyBody[] }) => page.api_keys, raw: 'api_keys' }
      const list = await listAll(connect(options, io), path, shape)
      print(io, options, {
        json: { api_keys: list.raw, total: list.items.length },
        text: () => (list.items.length === 0 ? 'No API keys.' : table([HEAD, ...list.items.map(rowOf)], io.stdout)),
      })
    })
}

function addRevoke(group: Command, { io }: CliContext): void {
  gatewayCommand(group, {
    usage: 'revoke <id>',
    summary: 'revoke an API key, at once and for good; "key list" shows ids',
    examples: ['key revoke 019a1b2c-3d4e-7f50-8a9b-0c1d2e3f4a5b'],
  }).action(async (id: string, options: GatewayOptions) => {
    await connect(options, io).delete(`api-keys/${encodeURIComponent(id)}`)
    print(io, options, { json: { revoked: id }, text: () => `Revoked ${plainLine(id)}.` })
  })
}

function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new CliError(`"${text}" is no time; write 2027-01-31 or 2027-01-31T12:00:00Z`)
  return new Date(time).toISOString()
}

const HEAD = ['ID', 'NAME', 'KEY', 'OWNER', 'STATE', 'LAST USED']

function rowOf(key: ApiKeyBody): string[] {
  const { key_id: id, name, prefix, owner, last_used_at: lastUsed } = key
  return [id, name, `${prefix}…`, owner ?? '', stateOf(key), lastUsed ?? 'never']
}

function stateOf({ revoked, expires_at: expiresAt }: ApiKeyBody): string {
  if (revoked) return 'revoked'
  if (expiresAt === null) return 'good'
  return Date.parse(expiresAt) <= Date.now() ? 'expired' : `until ${expiresAt}`
}
