import type { Command } from 'commander'
import { toolPage } from '#contract/tool'
import { connect, gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { listAll } from '../list-all.ts'
import type { CliContext } from '../program.ts'
import { table } from '../table.ts'

interface ToolsOptions extends GatewayOptions {
  readonly server?: string
  readonly category?: string
  readonly tag?: string
  readonly namespace?: string
  readonly q?: string
}

const FILTERS = ['server', 'category', 'tag', 'namespace', 'q'] as const

export function addToolsCommand(program: Command, { io }: CliContext): void {
  gatewayCommand(program, {
    usage: 'tools',
    summary: 'list the tools that the gateway offers',
    examples: ['tools --server files', 'tools --q weather --json'],
  })
    .alias('list')
    .option('--server <name>', 'only of this server')
    .option('--category <name>', 'only of this category')
    .option('--tag <name>', 'only with this tag')
    .option('--namespace <name>', 'only of this namespace')
    .option('--q <words>', 'only with these words in name or description')
    .action(async (options: ToolsOptions) => {
      const list = await listAll(connect(options, io), `tools?${filterQuery(options)}`, {
        schema: toolPage,
        items: (page) => page.tools,
        raw: 'tools',
      })
      print(io, options, {
        json: { tools: list.raw, total: list.items.length },
        text: () =>
          table(
            list.items.map((tool) => [tool.name, tool.description]),
            io.stdout,
          ) || 'No tools.',
      })
    })
}

function filterQuery(options: ToolsOptions): string {
  const query = new URLSearchParams()
  for (const name of FILTERS) if (options[name] !== undefined) query.set(name, options[name])
  return query.toString()
}
