import type { Command } from 'commander'
import { auditPage, verifyAnswer, type AuditPage, type VerifyAnswer } from '#contract/audit'
import { CliError } from '../cli-error.ts'
import { commandGroup, connect, gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { runningUrl } from '../find-gateway.ts'
import { readAnswer } from '../gateway-client.ts'
import type { CliContext } from '../program.ts'
import { table } from '../table.ts'

/** What commands ask of an audit, of a gateway that runs or of what a stopped one left. */
export interface AuditReader extends AsyncDisposable {
  list(filters: Readonly<Record<string, string>>, limit: number): Promise<AuditPage>
  verify(since: VerifyAnswer['head'] | undefined): Promise<VerifyAnswer>
  /** NDJSON, in parts of whole lines. */
  lines(): AsyncIterable<string>
}

interface AuditOptions extends GatewayOptions {
  readonly dataDir?: string
  readonly config?: string
}

interface ListOptions extends AuditOptions {
  readonly limit: string
  readonly actor?: string
  readonly action?: string
  readonly resource?: string
  readonly outcome?: string
  readonly from?: string
  readonly to?: string
}

interface VerifyOptions extends AuditOptions {
  readonly since?: string
}

export function addAuditCommand(program: Command, context: CliContext): void {
  const group = commandGroup(program, {
    usage: 'audit',
    summary: 'who did what: of the gateway that runs here, or of what a stopped one left',
    examples: ['audit list --outcome denied', 'audit verify', 'audit export > audit.ndjson'],
  })
  addList(group, context)
  addVerify(group, context)
  addExport(group, context)
}

function auditCommand(group: Command, spec: Parameters<typeof gatewayCommand>[1]): Command {
  return gatewayCommand(group, spec)
    .option('--data-dir <directory>', 'of a gateway that does not run')
    .option('--config <file>', 'its config file, where that names the database')
}

function addList(group: Command, context: CliContext): void {
  auditCommand(group, {
    usage: 'list',
    summary: 'list the newest records',
    examples: [
      'audit list --action tools:execute --outcome denied',
      'audit list --actor ID --from 2026-11-01T00:00:00Z',
    ],
  })
    .option('--limit <number>', 'how many at most', '50')
    .option('--actor <id>', 'only of this principal')
    .option('--action <action>', 'only this: tools:execute, servers:create, auth:login, …')
    .option('--resource <name>', 'only of this')
    .option('--outcome <outcome>', 'success, error or denied')
    .option('--from <time>', 'at or after')
    .option('--to <time>', 'before')
    .action(async (options: ListOptions) => {
      await using reader = await openReader(options, context)
      const { limit, actor, action, resource, outcome, from, to } = options
      const given = Object.entries({ actor, action, resource, outcome, from, to }).filter(
        ([, text]) => text !== undefined,
      )
      const page = await reader.list(Object.fromEntries(given) as Record<string, string>, Number(limit))
      const rows = page.records.map((each) => [
        each.time,
        each.username ?? (each.actor || '–'),
        each.action,
        each.outcome,
        each.resource,
      ])
      print(context.io, options, { json: page, text: () => table([HEAD, ...rows], context.io.stdout) })
    })
}

const HEAD = ['TIME', 'WHO', 'ACTION', 'OUTCOME', 'RESOURCE']

function addVerify(group: Command, context: CliContext): void {
  auditCommand(group, {
    usage: 'verify',
    summary: 'check that every record is there as it was written; exits with 1 when one is not',
    examples: ['audit verify', 'audit verify --since 1204:HASH'],
  })
    .option('--since <head>', 'only what came after this end of an earlier check')
    .action(async (options: VerifyOptions) => {
      await using reader = await openReader(options, context)
      const verdict = await reader.verify(headOf(options.since))
      print(context.io, options, { json: verdict, text: () => sentenceOf(verdict) })
      if (!verdict.ok) context.exitWith(1)
    })
}

function headOf(since: string | undefined): VerifyAnswer['head'] | undefined {
  if (since === undefined) return undefined
  const [seq = '', hash = ''] = since.split(':')
  if (/^\d+$/.test(seq) && hash !== '') return { seq: Number(seq), hash }
  throw new CliError(`"${since}" is no end of a check; it looks like 1204:HASH`)
}

function sentenceOf({ ok, records, first_bad: firstBad, reason, head }: VerifyAnswer): string {
  return ok
    ? `All ${records} records are as they were written. The end is ${head.seq}:${head.hash}`
    : `Record ${firstBad} ${reason}; the ${records} before it are as they were written.`
}

function addExport(group: Command, context: CliContext): void {
  auditCommand(group, {
    usage: 'export',
    summary: 'write all records with their hashes, one JSON object a line',
    examples: ['audit export > audit.ndjson'],
  }).action(async (options: AuditOptions) => {
    await using reader = await openReader(options, context)
    for await (const lines of reader.lines()) context.io.stdout.write(lines)
  })
}

/** A gateway that runs has the database for itself, and may know what is not written yet. */
function openReader(options: AuditOptions, { io, commands }: CliContext): Promise<AuditReader> {
  const { url, dataDir, config } = options
  const isStopped = url === undefined && (dataDir !== undefined || config !== undefined || runningUrl(io) === undefined)
  return isStopped ? commands.audit({ dataDir, config }) : Promise.resolve(gatewayReader(options, io))
}

const PAGE = 5000

function gatewayReader(options: AuditOptions, io: CliContext['io']): AuditReader {
  const client = connect(options, io)
  return {
    async list(filters, limit) {
      const query = new URLSearchParams({ ...filters, limit: String(limit) })
      return readAnswer(auditPage, await client.get(`audit?${query.toString()}`), client.url)
    },
    async verify(since) {
      const body = JSON.stringify(since ? { since } : {})
      return readAnswer(verifyAnswer, await client.post('audit/verify', body, VERIFY_MS_MAX), client.url)
    },
    async *lines() {
      for (let after = 0; ;) {
        const lines = await client.text(`audit/export?after=${after}&limit=${PAGE}`)
        if (lines === '') return
        yield lines
        after = lastSeq(lines)
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** A million records take some ten seconds. */
const VERIFY_MS_MAX = 600_000

function lastSeq(lines: string): number {
  const last = lines.trimEnd().split('\n').at(-1) ?? ''
  return (JSON.parse(last) as { record: { seq: number } }).record.seq
}
