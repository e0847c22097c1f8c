import type { Command } from 'commander'
import { searchAnswer, type SearchAnswer } from '#contract/search'
import { connect, gatewayCommand, print, withProgress, type GatewayOptions } from '../command.ts'
import { readAnswer } from '../gateway-client.ts'
import type { CliContext } from '../program.ts'
import { table } from '../table.ts'
import type { Output } from '../io.ts'

interface SearchOptions extends GatewayOptions {
  readonly type?: string
  readonly limit?: string
  readonly server?: string
  readonly category?: string
  readonly tag?: string
  readonly namespace?: string
}

export function addSearchCommand(program: Command, { io }: CliContext): void {
  gatewayCommand(program, {
    usage: 'search <text...>',
    summary: 'find the tools that fit a task, the best first',
    examples: ['search what is the weather like', 'search "read a file" --limit 3 --json'],
  })
    .option('--type <type>', 'hybrid, keyword or semantic (default: hybrid)')
    .option('--limit <number>', 'how many at most (default: 10)')
    .option('--server <name>', 'only of this server')
    .option('--category <name>', 'only of this category')
    .option('--tag <name>', 'only with this tag')
    .option('--namespace <name>', 'only of this namespace')
    .action(async (words: string[], options: SearchOptions) => {
      const client = connect(options, io)
      const path = `tools/search?${queryOf(words.join(' '), options)}`
      const reply = await withProgress(io, 'Searching', client.get(path))
      const answer = readAnswer(searchAnswer, reply, client.url)
      print(io, options, { json: reply.value, text: () => shownText(answer, io.stdout) })
      const { vectors } = answer
      if (!options.json && vectors && vectors.known < vectors.wanted)
        io.stderr.write(
          `The model knows ${vectors.known} of ${vectors.wanted} tools so far; later answers will be better.\n`,
        )
    })
}

function queryOf(text: string, { type, limit, server, category, tag, namespace }: SearchOptions): string {
  const given = { q: text, search_type: type, max_results: limit, server, category, tag, namespace }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value)
  return query.toString()
}

function shownText({ results, nearest_servers: nearest }: SearchAnswer, output: Output): string {
  if (results.length > 0)
    return table(
      results.map(({ name, score, description }) => [score.toFixed(2), name, description]),
      output,
    )
  return nearest.length === 0 ? 'No tool fits.' : `No tool fits. The nearest servers: ${nearest.join(', ')}`
}
