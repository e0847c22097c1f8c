import type { AuditLog } from './audit-log.ts'
import type { Head } from './chain.ts'
import type { AuditOutcome, AuditRecord } from './record.ts'
import { tenantOf } from './tenant.ts'
import type { Verdict } from './verify.ts'

/** The audit that a gateway left, in the shape in which a running one shows it. */
export interface StoredAudit extends AsyncDisposable {
  list(filters: Readonly<Record<string, string>>, limit: number): Promise<StoredPage>
  verify(since: Head | undefined): Promise<Verdict>
  lines(): AsyncIterable<string>
}

interface StoredPage {
  readonly records: AuditRecord[]
  readonly total: number
  readonly limit: number
  readonly offset: number
}

/** Reads only; `closed` ends what it stands on. */
export function createStoredAudit(audit: AuditLog, closed: () => Promise<void>): StoredAudit {
  const tenant = tenantOf(undefined)
  return {
    async list({ from, to, outcome, ...filters }, limit) {
      const times = { ...(from ? { from: Date.parse(from) } : {}), ...(to ? { to: Date.parse(to) } : {}) }
      const result = outcome ? { outcome: outcome as AuditOutcome } : {}
      const page = await audit.list({ ...filters, ...times, ...result, tenant, limit, offset: 0 })
      return { ...page, limit, offset: 0 }
    },
    verify: (since) => audit.verify(tenant, since),
    lines: () => audit.lines(tenant),
    [Symbol.asyncDispose]: closed,
  }
}
