import type { Audit } from './audit.ts'
import type { AuditEntry } from './record.ts'
import { tenantOf } from './tenant.ts'

const TEXT_MAX = 512

/** Whom the MCP endpoint did not let in. */
interface Refused {
  readonly code: string
  readonly resource: string
  readonly address: string | undefined
  readonly agent: string | undefined
  readonly requestId: string | undefined
}

/** What somebody did at the authorization server, or was not let do. */
interface OauthDeed {
  readonly action: string
  readonly clientId: string
  readonly actor: string
  readonly username?: string | undefined
  readonly outcome: 'success' | 'denied'
  readonly code?: string | undefined
  readonly facts: Readonly<Record<string, unknown>>
}

/** What is recorded that neither is a call nor came over REST. */
export interface OtherRecords {
  refused(refusal: Refused): Promise<void> | undefined
  /** What the gateway did of itself, or for who has its machine. Durable when it resolves. */
  did(action: string, resource: string): Promise<void>
  /** What somebody did at the authorization server. Durable when it resolves, unless it was denied. */
  atOauth(deed: OauthDeed): Promise<void>
  /** The same work, which begins only while it can be recorded, and is recorded. */
  change<A>(action: string, resource: string, work: (about: A) => Promise<void>): (about: A) => Promise<void>
}

interface OtherRecordsDeps {
  readonly audit: Pick<Audit, 'note' | 'record' | 'admit'>
  /** Epoch milliseconds. */
  now(): number
  newId(): string
}

export function createOtherRecords({ audit, now, newId }: OtherRecordsDeps): OtherRecords {
  const entry = (what: Pick<AuditEntry, 'action' | 'resource' | 'outcome' | 'surface'>): AuditEntry => {
    return { id: newId(), at: now(), tenant: tenantOf(undefined), actor: '', ...what }
  }
  const did = (action: string, resource: string): Promise<void> =>
    audit.record(entry({ action, resource, outcome: 'success', surface: 'gateway' }))
  return {
    refused({ code, resource, address: ip, agent, requestId }) {
      const what = {
        action: 'mcp:enter',
        resource: resource.slice(0, TEXT_MAX),
        outcome: 'denied',
        surface: 'mcp',
      } as const
      const facts = { ip, agent: agent?.slice(0, TEXT_MAX) }
      return audit.note({ ...entry(what), code, requestId: requestId?.slice(0, TEXT_MAX), facts })
    },
    did,
    async atOauth({ clientId, ...deed }) {
      const resource = `clients/${clientId}`.slice(0, TEXT_MAX)
      const { action, outcome } = deed
      const made = { ...entry({ action, resource, outcome, surface: 'oauth' }), ...deed }
      await (outcome === 'denied' ? audit.note(made) : audit.record(made))
    },
    change: (action, resource, work) =>
      async function changeRecorded(about) {
        audit.admit()
        await work(about)
        await did(action, resource)
      },
  }
}
