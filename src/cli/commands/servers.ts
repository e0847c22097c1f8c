import type { Command } from 'commander'
import { serverPage, type Server } from '#contract/server'
import { connect, gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { listAll } from '../list-all.ts'
import type { CliContext } from '../program.ts'
import { table } from '../table.ts'

export function addServersCommand(program: Command, { io }: CliContext): void {
  gatewayCommand(program, {
    usage: 'servers',
    summary: 'list the MCP servers behind the gateway and how they are',
    examples: ['servers'],
  }).action(async (options: GatewayOptions) => {
    const client = connect(options, io)
    const list = await listAll(client, 'proxy/servers', {
      schema: serverPage,
      items: (page) => page.servers,
      raw: 'servers',
    })
    print(io, options, {
      json: { servers: list.raw, total: list.items.length },
      text: () => (list.items.length === 0 ? NONE : table([HEAD, ...list.items.map(rowOf)], io.stdout)),
    })
  })
}

const NONE = 'No servers yet. Add one: metamcp add NAME -- COMMAND ARGS…'
const HEAD = ['NAME', 'STATUS', 'TOOLS', 'TRANSPORT', 'REASON']

function rowOf(server: Server): string[] {
  return [server.name, server.status, String(server.tool_count), server.transport, server.status_reason]
}
