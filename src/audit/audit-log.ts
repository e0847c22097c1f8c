import { createRingSealer } from '#kernel/seal'
import { createAudit, type Audit, type AuditDeps } from './audit.ts'
import { EMPTY, type Head } from './chain.ts'
import { createHeadSeal } from './head.ts'
import type { AuditFilter, AuditStore } from './record.ts'
import { verifyChain, type Verdict } from './verify.ts'

/** What is recorded, to write and to read. */
export interface AuditLog extends Audit {
  /** Newest first, with what was noted before this was asked. */
  list(filter: AuditFilter): ReturnType<AuditStore['list']>
  verify(tenant: string, since?: Head): Promise<Verdict>
  /** All records in their order, one JSON object a line: `record` to the letter as it was hashed, and its `hash`. */
  lines(tenant: string, afterSeq?: number, count?: number): AsyncGenerator<string>
}

export interface AuditLogDeps extends Omit<AuditDeps, 'seal'> {
  readonly secret: Uint8Array
  /** Were the secret before: a head that they sealed is still ours. */
  readonly previousSecrets?: readonly Uint8Array[]
}

export function openAudit({ secret, previousSecrets = [], ...deps }: AuditLogDeps): AuditLog {
  const { store } = deps
  const seal = createHeadSeal(createRingSealer([secret, ...previousSecrets]))
  const audit = createAudit({ ...deps, seal })
  return {
    ...audit,
    async list(filter) {
      await audit.flush()
      return store.list(filter)
    },
    async verify(tenant, since = EMPTY) {
      await audit.flush()
      return verifyChain({ store, seal }, tenant, since)
    },
    lines: (tenant, afterSeq = 0, count = Infinity) => lines(store, { tenant, afterSeq, count }),
  }
}

interface Stretch {
  readonly tenant: string
  readonly afterSeq: number
  readonly count: number
}

async function* lines(store: Pick<AuditStore, 'read'>, { tenant, afterSeq, count }: Stretch): AsyncGenerator<string> {
  let seq = afterSeq
  for (let left = count; left > 0;) {
    const links = (await store.read(tenant, seq)).slice(0, left)
    if (links.length === 0) return
    yield links.map(({ hash, body }) => `{"hash":"${hash}","record":${body}}\n`).join('')
    left -= links.length
    seq = links.at(-1)?.seq ?? seq
  }
}
