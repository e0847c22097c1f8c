import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { serverPage, type ServerRegistration } from '#contract/server'
import { messageOf } from '#kernel/errors'
import { CliError } from '../cli-error.ts'
import { mcpClients } from '../clients.ts'
import { connect, gatewayCommand, print, withProgress, type GatewayOptions } from '../command.ts'
import { parseConfiguration } from '../commented-json.ts'
import { foreignServers, type ForeignServer } from '../foreign-servers.ts'
import type { GatewayClient } from '../gateway-client.ts'
import type { CliIo } from '../io.ts'
import { listAll } from '../list-all.ts'
import { plainLine } from '../plain-text.ts'
import type { CliContext } from '../program.ts'

interface ImportOptions extends GatewayOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

interface Report {
  readonly files: readonly string[]
  readonly added: string[]
  readonly skipped: { readonly name: string; readonly reason: string }[]
  readonly failed: { readonly name: string; readonly reason: string }[]
}

export function addImportCommand(program: Command, { io, exitWith }: CliContext): void {
  gatewayCommand(program, {
    usage: 'import',
    summary: "put the servers of an MCP client's configuration behind the gateway",
    examples: ['import cursor --dry-run', 'import ./claude_desktop_config.json --yes'],
  })
    .argument('[source]', `a file, or one of ${Object.keys(mcpClients(io)).join(', ')}`)
    .option('--dry-run', 'only show what would be added')
    .option('--yes', 'do not ask')
    .action(async (source: string | undefined, options: ImportOptions) => {
      const report = await importServers(source, options, io)
      print(io, options, {
        json: { ...report, dry_run: options.dryRun === true },
        text: () => reportText(report, options),
      })
      if (report.failed.length === 0) return
      io.stderr.write(`metamcp: ${report.failed.length} of the servers could not be added\n`)
      exitWith(1)
    })
}

async function importServers(source: string | undefined, options: ImportOptions, io: CliIo): Promise<Report> {
  const client = connect(options, io)
  const { files, servers } = readSource(source, client.url, io)
  const existing = await existingNames(client, options)
  const report: Report = { files, added: [], skipped: [], failed: [] }
  const wanted: ServerRegistration[] = []
  for (const server of servers) {
    if ('skipped' in server) report.skipped.push({ name: server.name, reason: server.skipped })
    else if (existing.has(server.name))
      report.skipped.push({ name: server.name, reason: 'the gateway has one of this name' })
    else wanted.push(server.registration)
  }
  if (options.dryRun || wanted.length === 0) {
    report.added.push(...wanted.map(({ name }) => name))
    return report
  }
  if (!options.yes) await confirm(wanted, io)
  for (const registration of wanted) await register(client, registration, { report, io })
  return report
}

/** A dry run needs no gateway: without one, nothing exists yet. */
async function existingNames(client: GatewayClient, options: ImportOptions): Promise<Set<string>> {
  try {
    const shape = { schema: serverPage, items: (page: { servers: { name: string }[] }) => page.servers, raw: 'servers' }
    const list = await listAll(client, 'proxy/servers', shape)
    return new Set(list.items.map(({ name }) => name))
  } catch (error) {
    if (options.dryRun) return new Set()
    throw error
  }
}

async function register(
  client: GatewayClient,
  registration: ServerRegistration,
  { report, io }: { readonly report: Report; readonly io: CliIo },
): Promise<void> {
  const { name } = registration
  try {
    await withProgress(io, `Adding ${plainLine(name)}`, client.post('proxy/servers', JSON.stringify(registration)))
    report.added.push(name)
  } catch (error) {
    report.failed.push({ name, reason: messageOf(error) })
  }
}

async function confirm(wanted: readonly ServerRegistration[], io: CliIo): Promise<void> {
  io.stderr.write(wanted.map((registration) => `  ${describe(registration)}\n`).join(''))
  if (!io.stdin.isTTY) throw new CliError('Nobody is here to ask; add --yes to add these servers, or --dry-run to look')
  io.stderr.write(`Add ${wanted.length} to the gateway? [y/N] `)
  if (!/^y(es)?$/i.test((await readLine(io)).trim())) throw new CliError('Nothing was added')
}

/** Empty when the input ends first. */
async function readLine(io: CliIo): Promise<string> {
  for await (const line of createInterface({ input: io.stdin })) return line
  return ''
}

/** Never the environment or headers: they hold secrets. */
function describe({ name, command, args = [], url }: ServerRegistration): string {
  return plainLine(`${name}: ${url ?? [command, ...args].join(' ')}`)
}

function readSource(source: string | undefined, gatewayUrl: string, io: CliIo) {
  const candidates = candidateFiles(source, io)
  const context = { env: io.env, cwd: io.cwd, home: io.home, gatewayUrl }
  const read = candidates.flatMap((file) => {
    const text = readText(file)
    return text === undefined ? [] : [{ file, servers: foreignServers(parsed(file, text), context) }]
  })
  if (read.length === 0) throw new CliError(`There is no configuration at ${candidates.join(' or ')}`)
  const byName = new Map<string, ForeignServer>()
  for (const server of read.flatMap(({ servers }) => servers))
    if (!byName.has(server.name)) byName.set(server.name, server)
  return { files: read.map(({ file }) => file), servers: [...byName.values()] }
}

function candidateFiles(source: string | undefined, io: CliIo): readonly string[] {
  const clients = mcpClients(io)
  if (source === undefined) return Object.values(clients).flatMap(({ files }) => files)
  return (Object.hasOwn(clients, source) ? clients[source]?.files : undefined) ?? [resolve(io.cwd, source)]
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
      return undefined
    throw new CliError(`${file} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return parseConfiguration(text)
  } catch (cause) {
    throw new CliError(`${file} is neither JSON nor YAML`, { cause })
  }
}

function reportText({ files, added, skipped, failed }: Report, options: ImportOptions): string {
  const lines = [
    ...files.map((file) => `Read ${file}`),
    ...added.map((name) => `${options.dryRun ? 'Would add' : 'Added'} ${name}`),
    ...skipped.map(({ name, reason }) => `Left out ${name}: ${reason}`),
    ...failed.map(({ name, reason }) => `Not added ${name}: ${reason}`),
  ]
  return [...lines, added.length + failed.length === 0 ? 'Nothing to add.' : '']
    .map((line) => plainLine(line))
    .join('\n')
}
