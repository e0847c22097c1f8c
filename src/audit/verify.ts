import { setImmediate } from 'node:timers/promises'
import { BROKEN_HEAD } from './audit.ts'
import { EMPTY, isNext, type Head } from './chain.ts'
import type { HeadSeal } from './head.ts'
import type { AuditStore, KeptLink } from './record.ts'

/** What a chain came to. */
export interface Verdict {
  readonly ok: boolean
  /** Links that were looked at and fit. */
  readonly records: number
  /** Number of the first record that is not as it was written, or no longer there. */
  readonly first_bad?: number
  readonly reason?: string
  /** The end of the chain: whoever notes it can tell later whether all up to here is still there. */
  readonly head: Head
}

export interface VerifyDeps {
  readonly store: Pick<AuditStore, 'read' | 'sealedHead'>
  readonly seal: HeadSeal
}

/**
 * Reads a chain from its begin, or from a head that somebody noted: finds records that were edited, taken out, moved, put in,
 * or cut off at the end.
 */
export async function verifyChain({ store, seal }: VerifyDeps, tenant: string, since: Head = EMPTY): Promise<Verdict> {
  let head = since
  const bad = (firstBad: number, reason: string): Verdict => {
    return { ok: false, records: head.seq - since.seq, first_bad: firstBad, reason, head }
  }
  for (;;) {
    const links = await store.read(tenant, head.seq)
    for (const link of links) {
      if (!isNext(head, link)) return bad(head.seq + 1, 'is not the record that was written there')
      if (isBrokenHead(link))
        return bad(link.seq, 'says that the end before it was changed or sealed with another secret')
      head = { seq: link.seq, hash: link.hash }
    }
    if (links.length > 0) {
      await setImmediate()
      continue
    }
    // After the last page: whatever is appended meanwhile moves the head forward, never back.
    const sealed = await store.sealedHead(tenant)
    if (sealed === undefined && head.seq === 0) return { ok: true, records: 0, head }
    const end = sealed === undefined ? undefined : seal.open(tenant, sealed)
    if (!end) return bad(head.seq + 1, 'the seal of the end is missing or not ours')
    if (end.seq === head.seq && end.hash === head.hash) return { ok: true, records: head.seq - since.seq, head }
    const more = end.seq > head.seq ? await store.read(tenant, head.seq) : []
    if (more.length === 0) return bad(Math.min(end.seq, head.seq) + 1, 'the end is not the one that was sealed')
  }
}

function isBrokenHead({ body }: KeptLink): boolean {
  return body.includes(BROKEN_HEAD) && (JSON.parse(body) as { action?: string }).action === BROKEN_HEAD
}
