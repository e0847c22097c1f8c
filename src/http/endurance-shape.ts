import type { BreakerChange } from '#registry/records'
import { defined } from './defined.ts'

interface EnduranceBody {
  readonly breaker: {
    failures?: number | undefined
    recovery_seconds?: number | undefined
    successes?: number | undefined
  } | null
  readonly retry: { attempts: number } | null
}

type EnduranceChange = { readonly [K in keyof EnduranceBody]?: EnduranceBody[K] | undefined }

interface Endurance {
  readonly breaker?: BreakerChange | undefined
  readonly attempts?: number | undefined
}

/** How calls fare that meet trouble, as answers show it; null where the settings hold. */
export function enduranceBody({ breaker, attempts }: Endurance): EnduranceBody {
  return { breaker: breaker ? bodyOf(breaker) : null, retry: attempts === undefined ? null : { attempts } }
}

function bodyOf({ failures, recoveryMs, successes }: BreakerChange): NonNullable<EnduranceBody['breaker']> {
  const recovery = recoveryMs === undefined ? undefined : recoveryMs / 1000
  return defined({ failures, recovery_seconds: recovery, successes })
}

/** The members of a record that a body names; undefined where it takes one back with null. */
export function enduranceMembers({ breaker, retry }: EnduranceChange): Endurance {
  return {
    ...(breaker === undefined ? {} : { breaker: breaker === null ? undefined : changeOf(breaker) }),
    ...(retry === undefined ? {} : { attempts: retry?.attempts }),
  }
}

function changeOf({ failures, recovery_seconds, successes }: NonNullable<EnduranceBody['breaker']>): BreakerChange {
  const recoveryMs = recovery_seconds === undefined ? undefined : Math.round(recovery_seconds * 1000)
  return defined({ failures, recoveryMs, successes })
}
