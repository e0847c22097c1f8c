import { text as readAll } from 'node:stream/consumers'
import type { Command } from 'commander'
import { executeAnswer } from '#contract/execution'
import { tool } from '#contract/tool'
import { isJsonObject, type JsonValue } from '#kernel/json'
import { memberText } from '#kernel/json-text'
import { argumentsText } from '../arguments.ts'
import { CliError } from '../cli-error.ts'
import { connect, gatewayCommand, printJson, withProgress, type GatewayOptions } from '../command.ts'
import { readAnswer, type GatewayClient } from '../gateway-client.ts'
import type { CliIo } from '../io.ts'
import type { CliContext } from '../program.ts'
import { resultText } from '../result-text.ts'

interface CallOptions extends GatewayOptions {
  readonly args?: string
}

/** The gateway has the tool's own limit; this one only ends what nobody else ended. */
const TIMEOUT_MS = 3_600_000

export function addCallCommand(program: Command, { io, exitWith }: CliContext): void {
  gatewayCommand(program, {
    usage: 'call <tool> [arguments...]',
    summary: 'call a tool; arguments are key=value, or JSON from stdin with "-"',
    examples: ['call files__read_file path=/home/me/notes.txt', `call math__add --args '{"a": 1, "b": 2}'`],
  })
    .alias('exec')
    .option('--args <json>', 'all arguments as a JSON object; "-" reads it from stdin')
    .action(async (name: string, pairs: string[], options: CallOptions) => {
      const client = connect(options, io)
      const body = `{"arguments":${await bodyArguments(client, { name, pairs, io, options })}}`
      const path = `tools/${encodeURIComponent(name)}/execute`
      const answer = await withProgress(io, `Calling ${name}`, client.post(path, body, TIMEOUT_MS))
      const execution = readAnswer(executeAnswer, answer, client.url)
      if (options.json) printJson(io, answer.text)
      else io.stdout.write(resultText(execution.result as JsonValue, memberText(answer.text, 'result') ?? 'null'))
      if (!execution.is_error) return
      io.stderr.write(`metamcp: The tool ${name} reported an error\n`)
      exitWith(1)
    })
}

interface Given {
  readonly name: string
  readonly pairs: readonly string[]
  readonly io: CliIo
  readonly options: CallOptions
}

/** The arguments as JSON text, to the letter where they came as JSON: no number loses digits here. */
async function bodyArguments(client: GatewayClient, { name, pairs, io, options }: Given): Promise<string> {
  const isPiped = options.args === '-' || (pairs.length === 1 && pairs[0] === '-')
  if (options.args !== undefined && pairs.length > 0) throw new CliError('Give --args or key=value, not both')
  if (isPiped) return checkedObject(await readAll(io.stdin), 'stdin')
  if (options.args !== undefined) return checkedObject(options.args, '--args')
  if (pairs.length === 0) return '{}'
  const shown = readAnswer(tool, await client.get(`tools/${encodeURIComponent(name)}`), client.url)
  return argumentsText(pairs, shown.input_schema as JsonValue)
}

function checkedObject(text: string, source: string): string {
  try {
    if (isJsonObject(JSON.parse(text))) return text
  } catch (cause) {
    throw new CliError(`What ${source} holds is not JSON`, { cause })
  }
  throw new CliError(`What ${source} holds is not a JSON object`)
}
