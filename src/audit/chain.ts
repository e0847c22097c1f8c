import { hash } from 'node:crypto'
import { createTimeText } from '#kernel/time-text'
import type { AuditEntry, KeptLink, Link, NewLink } from './record.ts'

/** The end of a chain: the number and hash of its last link. */
export type Head = Pick<Link, 'seq' | 'hash'>

/** Of a chain without links. */
export const EMPTY: Head = { seq: 0, hash: '' }

/** Ties each entry to all before it. */
export function chainOf(head: Head, entries: readonly AuditEntry[]): NewLink[] {
  let { seq, hash: before } = head
  const timeOf = createTimeText()
  return entries.map((entry) => {
    seq += 1
    const body = textOf(entry, seq, timeOf(entry.at))
    before = linkHash(before, body)
    return { seq, hash: before, body, at: entry.at }
  })
}

/** SHA-256 over the hash before, a line break and the text of the record, in base64url. */
function linkHash(before: string, body: string): string {
  return hash('sha256', `${before}\n${body}`, 'base64url')
}

function textOf(entry: AuditEntry, seq: number, time: string): string {
  const { id, tenant, actor, username, key, action, resource, outcome, code } = entry
  const { requestId: request_id, surface, rule, facts } = entry
  // prettier-ignore
  return JSON.stringify({ seq, id, time, tenant, actor, username, key, action, resource, outcome, code, request_id, surface, rule, facts })
}

/** Whether this link comes after that head, as it was written. */
export function isNext(head: Head, { seq, hash: own, body, isIndexed }: KeptLink): boolean {
  return seq === head.seq + 1 && isIndexed && own === linkHash(head.hash, body)
}
