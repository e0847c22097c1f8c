import type { Command } from 'commander'
import { dataDirOf } from '#config/load'
import { CliError } from '../cli-error.ts'
import { gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { ask, refusalOf } from '../exchange.ts'
import { findGateway } from '../find-gateway.ts'
import { createLogins } from '../logins.ts'
import type { CliContext } from '../program.ts'

export function addLogoutCommand(program: Command, { io }: CliContext): void {
  gatewayCommand(program, {
    usage: 'logout',
    summary: 'end the login at a gateway, there and here',
    examples: ['logout', 'logout --url https://metamcp.example.com'],
  }).action(async (options: GatewayOptions) => {
    const url = findGateway(options.url, io)
    const logins = createLogins(dataDirOf(io.env))
    const login = await logins.find(url)
    if (!login) throw new CliError(`Nobody is logged in at ${url} from here`)
    await logins.alone(async () => {
      const reply = await ask('POST', url, 'auth/logout', { credential: login.access_token })
      // A login that has ended already is as good as one that ends now.
      if (reply.status !== 200 && reply.status !== 401) throw refusalOf(reply, url)
      await logins.put(url, undefined)
    })
    print(io, options, { json: { url, username: login.username }, text: () => `Logged out at ${url}.` })
  })
}
