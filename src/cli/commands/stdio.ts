import type { Command } from 'commander'
import { gatewayCommand } from '../command.ts'
import type { CliContext, StdioFlags } from '../program.ts'

export function addStdioCommand(program: Command, { commands, exitWith }: CliContext): void {
  gatewayCommand(program, {
    usage: 'stdio',
    summary: 'be an MCP server on stdin and stdout, for clients that only speak stdio',
    examples: ['stdio --namespace dev'],
  })
    .option('--namespace <name>', 'offer the tools of this namespace only')
    .option('--config <file>', 'used when no gateway runs yet')
    .option('--data-dir <directory>', 'where database and keys are kept')
    .action(async (flags: StdioFlags) => exitWith(await commands.stdio(flags)))
}
