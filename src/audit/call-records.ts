import type { Call, CallResult } from '#gateway/call'
import type { CallDecision } from '#gateway/call-decisions'
import { AppError } from '#kernel/errors'
import type { Audit } from './audit.ts'
import type { AuditEntry, AuditOutcome } from './record.ts'
import { tenantOf } from './tenant.ts'

const REFUSALS: ReadonlySet<string> = new Set(['permission_denied', 'policy_violation', 'forbidden'])
/** What there is not, and what the caller may not know of. */
const ABSENT: ReadonlySet<string> = new Set(['tool_not_found', 'prompt_not_found', 'resource_not_found'])

/** One record a call, refused ones included. */
export function createCallRecord(audit: Pick<Audit, 'note'>): RecordCall {
  return (call, outcome, decision) => audit.note(entryOf(call, outcome, decision))
}

type RecordCall = (call: Call, outcome: CallResult | AppError, decision: CallDecision) => Promise<void> | undefined

function entryOf(call: Call, outcome: CallResult | AppError, { action, allowed, rule }: CallDecision): AuditEntry {
  const { id, startedAt: at, principal, name, surface } = call
  const failure = outcome instanceof AppError ? outcome : undefined
  return {
    id,
    at,
    tenant: tenantOf(principal),
    actor: principal.id,
    username: principal.username,
    key: principal.keyId,
    action,
    resource: name,
    outcome: outcomeOf(outcome, allowed),
    code: failure?.code,
    requestId: call.requestId ?? call.traceId,
    surface,
    rule: failure?.code === 'policy_violation' ? failure.message : rule,
  }
}

function outcomeOf(outcome: CallResult | AppError, isAllowed: boolean): AuditOutcome {
  if (!(outcome instanceof AppError)) return outcome.value['isError'] === true ? 'error' : 'success'
  return REFUSALS.has(outcome.code) || (ABSENT.has(outcome.code) && !isAllowed) ? 'denied' : 'error'
}
