import type { Command } from 'commander'
import { connect, gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { plainLine } from '../plain-text.ts'
import type { CliContext } from '../program.ts'

export function addRemoveCommand(program: Command, { io }: CliContext): void {
  gatewayCommand(program, {
    usage: 'remove <name>',
    summary: 'remove an MCP server from the gateway',
    examples: ['remove files'],
  }).action(async (name: string, options: GatewayOptions) => {
    await connect(options, io).delete(`proxy/servers/${encodeURIComponent(name)}`)
    print(io, options, { json: { removed: name }, text: () => `Removed ${plainLine(name)}.` })
  })
}
