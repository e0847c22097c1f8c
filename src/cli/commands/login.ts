import type { Command } from 'commander'
import { SETTINGS } from '#config/settings'
import { dataDirOf } from '#config/load'
import { tokenAnswer } from '#contract/auth'
import { askLine, askPassword, PASSWORD_OPTION, type PasswordOptions } from '../ask.ts'
import { CliError } from '../cli-error.ts'
import { gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { loginOf } from '../credentials.ts'
import { ask, refusalOf } from '../exchange.ts'
import { findGateway } from '../find-gateway.ts'
import type { CliIo } from '../io.ts'
import { createLogins } from '../logins.ts'
import type { CliContext } from '../program.ts'

const FIRST = SETTINGS.admin_username.shown
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

export function addLoginCommand(program: Command, { io }: CliContext): void {
  gatewayCommand(program, {
    usage: 'login [username]',
    summary: 'log in at a gateway; later commands use the login and renew it',
    examples: ['login ann', 'login ann --password-stdin --url https://metamcp.example.com < password.txt'],
  })
    .option(...PASSWORD_OPTION)
    .action(async (given: string | undefined, options: GatewayOptions & PasswordOptions) => {
      const url = findGateway(options.url, io)
      warnIfReadable(url, io)
      const username = given ?? (await askUsername(io))
      const password = await askPassword(io, `Password of ${username}: `, options)
      const reply = await ask('POST', url, 'auth/login', { body: JSON.stringify({ username, password }) })
      if (reply.status === 401) throw new CliError('The user name or the password is wrong')
      const login = loginOf(username, tokenAnswer.safeParse(reply.value).data)
      if (!login) throw refusalOf(reply, url)
      const logins = createLogins(dataDirOf(io.env))
      await logins.alone(() => logins.put(url, login))
      print(io, options, { json: { url, username }, text: () => `Logged in at ${url} as ${username}.` })
    })
}

async function askUsername(io: CliIo): Promise<string> {
  if (!io.stdin.isTTY) throw new CliError('Say who you are: metamcp login USERNAME')
  return (await askLine(io, `User name [${FIRST}]: `)) || FIRST
}

function warnIfReadable(url: string, io: CliIo): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || LOOPBACK.test(hostname)) return
  io.stderr.write(`metamcp: ${url} is not encrypted: everybody on the way can read the password\n`)
}
