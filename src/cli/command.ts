import type { Command } from 'commander'
import { credentialsFor } from './credentials.ts'
import { findGateway } from './find-gateway.ts'
import { createGatewayClient, type GatewayClient } from './gateway-client.ts'
import type { CliIo } from './io.ts'
import { plainJson } from './plain-text.ts'

interface CommandSpec {
  /** As commander reads it: `remove <name>`. */
  readonly usage: string
  readonly summary: string
  readonly examples: readonly string[]
}

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean
}

/** Options of every command that talks to a gateway. */
export interface GatewayOptions extends CommonOptions {
  readonly url?: string
}

/** A command with `--json` and an example in its help. */
export function plainCommand(program: Command, spec: CommandSpec): Command {
  return commandGroup(program, spec).option('--json', 'print JSON on stdout')
}

/** A command that only has others below it. */
export function commandGroup(program: Command, { usage, summary, examples }: CommandSpec): Command {
  const [first, ...more] = examples
  const lines = [`Example: metamcp ${first}`, ...more.map((example) => `         metamcp ${example}`)]
  return program
    .command(usage)
    .summary(summary)
    .description(summary)
    .addHelpText('after', `\n${lines.join('\n')}`)
}

/** Reads an option that may be given several times. */
export function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** A command that talks to a running gateway. */
export function gatewayCommand(program: Command, spec: CommandSpec): Command {
  return plainCommand(program, spec).option('--url <address>', 'of the gateway (default: the one that runs here)')
}

export function connect(options: GatewayOptions, io: CliIo): GatewayClient {
  const url = findGateway(options.url, io)
  return createGatewayClient(url, credentialsFor(url, io.env))
}

/** The one line of output that a program reads, or the lines that a person reads. */
export function print(io: CliIo, options: CommonOptions, output: { json: unknown; text: () => string }): void {
  const { json, text } = output
  if (options.json) printJson(io, JSON.stringify(json))
  else io.stdout.write(withLineEnd(text()))
}

/** JSON text as it came, made safe to show. */
export function printJson(io: CliIo, text: string): void {
  io.stdout.write(withLineEnd(plainJson(text)))
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

const PATIENCE_MS = 500

/** Says on a terminal what takes so long, and wipes it away afterwards. */
export async function withProgress<T>(io: CliIo, sentence: string, work: Promise<T>): Promise<T> {
  if (!io.stderr.isTTY) return work
  let isShown = false
  const timer = setTimeout(() => {
    isShown = true
    io.stderr.write(`${sentence}…`)
  }, PATIENCE_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
    if (isShown) io.stderr.write(`\r${' '.repeat(sentence.length + 1)}\r`)
  }
}
