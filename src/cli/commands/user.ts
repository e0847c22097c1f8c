import type { Command } from 'commander'
import { userBody, userPage, type UserBody } from '#contract/user'
import { askNewPassword, PASSWORD_OPTION, type PasswordOptions } from '../ask.ts'
import { CliError } from '../cli-error.ts'
import { commandGroup, connect, gatewayCommand, print, repeated, type GatewayOptions } from '../command.ts'
import { readAnswer, type GatewayClient } from '../gateway-client.ts'
import { listAll } from '../list-all.ts'
import { plainLine } from '../plain-text.ts'
import type { CliContext } from '../program.ts'
import { table } from '../table.ts'

interface AddOptions extends GatewayOptions, PasswordOptions {
  readonly role?: readonly string[]
  readonly email?: string
  readonly fullName?: string
}

export function addUserCommand(program: Command, context: CliContext): void {
  const group = commandGroup(program, {
    usage: 'user',
    summary: 'the people who may use the gateway',
    examples: ['user add ann --role developer', 'user list'],
  })
  addAdd(group, context)
  addList(group, context)
  addPasswd(group, context)
}

function addAdd(group: Command, { io }: CliContext): void {
  gatewayCommand(group, {
    usage: 'add <username>',
    summary: 'add a user; the password is asked for',
    examples: ['user add ann --role developer', 'user add bot --role user --password-stdin < password.txt'],
  })
    .option('--role <name>', 'may be repeated (default: user)', repeated)
    .option('--email <address>')
    .option('--full-name <name>')
    .option(...PASSWORD_OPTION)
    .action(async (username: string, options: AddOptions) => {
      const client = connect(options, io)
      const password = await askNewPassword(io, options)
      const { role: roles, email, fullName: full_name } = options
      const answer = await client.post('users', JSON.stringify({ username, password, roles, email, full_name }))
      const user = readAnswer(userBody, answer, client.url)
      print(io, options, { json: answer.value, text: () => `Added ${named(user)}.` })
    })
}

function addList(group: Command, { io }: CliContext): void {
  gatewayCommand(group, {
    usage: 'list',
    summary: 'list the users',
    examples: ['user list', 'user list --json'],
  }).action(async (options: GatewayOptions) => {
    const list = await listUsers(connect(options, io))
    print(io, options, {
      json: { users: list.raw, total: list.items.length },
      text: () => table([HEAD, ...list.items.map(rowOf)], io.stdout),
    })
  })
}

function addPasswd(group: Command, { io }: CliContext): void {
  gatewayCommand(group, {
    usage: 'passwd <username>',
    summary: "set a user's password; it ends what the user is logged in with",
    examples: ['user passwd ann', 'user passwd ann --password-stdin < password.txt'],
  })
    .option(...PASSWORD_OPTION)
    .action(async (username: string, options: GatewayOptions & PasswordOptions) => {
      const client = connect(options, io)
      const user = await findUser(client, username)
      const password = await askNewPassword(io, options)
      const answer = await client.patch(`users/${encodeURIComponent(user.user_id)}`, JSON.stringify({ password }))
      print(io, options, { json: answer.value, text: () => `${plainLine(user.username)} has a new password.` })
    })
}

async function findUser(client: GatewayClient, username: string): Promise<UserBody> {
  const { items } = await listUsers(client)
  const found = items.find((user) => user.username.toLowerCase() === username.toLowerCase())
  if (found) return found
  throw new CliError(`There is no user ${username}; see metamcp user list`)
}

function listUsers(client: GatewayClient) {
  return listAll(client, 'users', { schema: userPage, items: (page) => page.users, raw: 'users' })
}

const HEAD = ['NAME', 'ROLES', 'ACTIVE', 'FULL NAME']

function rowOf({ username, roles, is_active: isActive, full_name: fullName }: UserBody): string[] {
  return [username, roles.join(', '), isActive ? 'yes' : 'no', fullName ?? '']
}

function named({ username, roles }: UserBody): string {
  return plainLine(roles.length === 0 ? username : `${username} (${roles.join(', ')})`)
}
