import type { Vault } from '#kernel/vault'
import { readBody } from './row-body.ts'
import type { RecordTableName } from './schema.ts'

/** The tables with secrets, and what of their records is sealed as one: all that says how a thing is reached. */
const SEALED_MEMBERS = {
  upstreams: ['connection', 'fileDigest'],
  http_tools: ['endpoint', 'headers', 'fileDigest'],
} as const satisfies Partial<Record<RecordTableName, readonly string[]>>

export type SealedTable = keyof typeof SEALED_MEMBERS
export const SEALED_TABLES = Object.keys(SEALED_MEMBERS) as SealedTable[]

/** What stands in a record that cannot be opened. */
const UNREADABLE: Record<SealedTable, object> = {
  upstreams: { connection: { kind: 'stdio', command: '', args: [], env: {} } },
  http_tools: { endpoint: '', headers: {} },
}

type Members = Readonly<Record<string, unknown>>

/** Between records and their `body` column. */
export interface Bodies {
  write(record: object): string
  read(body: string): object
}

export function plainBodies(table: RecordTableName): Bodies {
  return { write: (record) => JSON.stringify(record), read: (body) => readBody(table, body) as object }
}

/** Seals what is secret when it writes; reads plain rows of older versions, too. */
export function sealedBodies(table: SealedTable, vault: Vault): Bodies {
  return {
    write(record) {
      const { locked, ...members } = record as Members & { id: string; locked?: { sealed: string } }
      const { shown, secret } = divided(table, members)
      const sealed = locked?.sealed ?? vault.seal(placeOf(table, members.id), JSON.stringify(secret))
      return JSON.stringify({ ...shown, sealed })
    },
    read(body) {
      const { sealed, ...shown } = readBody(table, body) as Members & { id: string; sealed?: string }
      if (sealed === undefined) return shown
      const opened = vault.open(placeOf(table, shown.id), sealed)
      if ('text' in opened) return { ...shown, ...(JSON.parse(opened.text) as object) }
      const reason = `What it is reached by cannot be read. ${opened.problem}`
      return { ...withoutDigest(shown), ...UNREADABLE[table], locked: { reason, sealed } }
    },
  }
}

/** Authenticated with what is sealed: in another row it does not open. */
function placeOf(table: SealedTable, id: string): string {
  return `${table}:${SEALED_MEMBERS[table][0]}:${id}`
}

/** Members keep their places: the shown part has null where a secret was. */
function divided(table: SealedTable, members: Members): { readonly shown: Members; readonly secret: Members } {
  const isSecret = (name: string): boolean => (SEALED_MEMBERS[table] as readonly string[]).includes(name)
  const entries = Object.entries(members)
  return {
    shown: Object.fromEntries(entries.map(([name, value]) => [name, isSecret(name) ? null : value])),
    secret: Object.fromEntries(entries.filter(([name]) => isSecret(name))),
  }
}

/** Without it the operator's file is applied anew. */
function withoutDigest({ fileDigest: _fileDigest, ...members }: Members): Members {
  return members
}

/** Whether a row was written before anything was sealed. */
export function isPlain(table: SealedTable, body: string): boolean {
  return (readBody(table, body) as { sealed?: string }).sealed === undefined
}

/** Whether a row is plain, or sealed with a key that is not the current one. */
export function isStale(table: SealedTable, body: string, vault: Vault): boolean {
  const { sealed } = readBody(table, body) as { sealed?: string }
  return sealed === undefined || !vault.isCurrent(sealed)
}
