import type { AuditFilter, AuditRecord, KeptLink, NewLink } from '#audit/record'
import { readBody } from './row-body.ts'
import type { AuditBlockTable } from './schema.ts'

/** The links of one batch as one row: a line each, its hash, a space and its text. */
export function blockOf(tenantKey: string, links: readonly NewLink[]): AuditBlockTable {
  const times = links.map(({ at }) => at)
  const [first, last] = [links[0]?.seq ?? 0, links.at(-1)?.seq ?? 0]
  return {
    tenant: tenantKey,
    seq: last,
    records: last - first + 1,
    oldest_at: Math.min(...times),
    newest_at: Math.max(...times),
    body: links.map(({ hash, body }) => `${hash} ${body}`).join('\n'),
  }
}

/** The same links, each numbered by its place. */
export function linksOf(block: AuditBlockTable): KeptLink[] {
  const before = block.seq - block.records
  return linesOf(block).map((line, index) => {
    const seq = before + 1 + index
    const body = bodyOf(line)
    return { seq, hash: line.slice(0, line.indexOf(' ')), body, isIndexed: isFound(block, body) }
  })
}

export function linesOf({ body }: Pick<AuditBlockTable, 'body'>): string[] {
  return body.split('\n')
}

export function bodyOf(line: string): string {
  return line.slice(line.indexOf(' ') + 1)
}

export function recordOf(line: string): AuditRecord {
  return readBody('audit_blocks', bodyOf(line)) as AuditRecord
}

function isFound({ oldest_at: oldest, newest_at: newest }: AuditBlockTable, body: string): boolean {
  try {
    const at = Date.parse((JSON.parse(body) as AuditRecord).time)
    return oldest <= at && at <= newest
  } catch {
    // Whoever reads hears of it: what is no record is not as it was written.
    return false
  }
}

/** What a filter asks of a record, beside its tenant. */
type Question = Omit<AuditFilter, 'tenant' | 'limit' | 'offset'>

/** Those lines of a block that a filter asks for, newest first, as records. A text without the words of the filter is not parsed. */
export function matchesIn(block: AuditBlockTable, question: Question): AuditRecord[] {
  const { from = -Infinity, to = Infinity, actor, action, resource, outcome } = question
  const wanted = Object.entries({ actor, action, resource, outcome }).filter(([, text]) => text !== undefined)
  const words = wanted.map(([name, text]) => `"${name}":${JSON.stringify(text)}`)
  const isWanted = (record: AuditRecord): boolean => {
    const at = Date.parse(record.time)
    return at >= from && at < to && wanted.every(([name, text]) => record[name as keyof AuditRecord] === text)
  }
  const hasWords = (text: string): boolean => words.every((word) => text.includes(word))
  if (!hasWords(block.body)) return []
  return linesOf(block).toReversed().filter(hasWords).map(recordOf).filter(isWanted)
}
