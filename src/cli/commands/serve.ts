import type { Command } from 'commander'
import { plainCommand } from '../command.ts'
import type { CliContext, ServeFlags } from '../program.ts'

export function addServeCommand(program: Command, { commands, exitWith }: CliContext): void {
  plainCommand(program, {
    usage: 'serve',
    summary: 'run the gateway',
    examples: ['serve --config metamcp.yaml --port 8000'],
  })
    .option('--config <file>', 'YAML or JSON file with servers, tools and settings')
    .option('--host <address>', 'address to listen on')
    .option('--port <number>', 'port to listen on; 0 takes a free one')
    .option('--data-dir <directory>', 'where database and keys are kept')
    .action(async (flags: ServeFlags) => exitWith(await commands.serve(flags)))
}
