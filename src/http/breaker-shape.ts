import type { CircuitBreaker } from '#contract/circuit-breaker'
import type { BreakerEntry } from '#gateway/breakers'
import { isoTimeOrNull } from './page.ts'

/** A breaker as answers show it. */
export function breakerBody(entry: BreakerEntry): CircuitBreaker {
  const { name, kind, server, rules, state, failures, successes, calls, refused, timesOpened } = entry
  return {
    name,
    kind,
    server,
    state,
    failures,
    successes,
    calls,
    refused,
    times_opened: timesOpened,
    failure_threshold: rules.failures,
    recovery_seconds: rules.recoveryMs / 1000,
    success_threshold: rules.successes,
    last_failure_at: isoTimeOrNull(entry.lastFailureAt),
    opened_at: isoTimeOrNull(entry.openedAt),
    probes_at: isoTimeOrNull(entry.probesAt),
  }
}
