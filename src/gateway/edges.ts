import { createForwarding, type Forwarding } from '#identity/forwarding'
import { createHostGuard, type HostGuard, type HostGuardOptions } from '#identity/host-guard'
import { createRateLimits, type RateLimitDeps, type RateLimits } from './rate-limits.ts'

/** What every surface asks of a request before anything else. */
export interface Edges {
  readonly hostGuard: HostGuard
  readonly forwarding: Forwarding
  readonly rates: RateLimits
}

export interface EdgeOptions extends HostGuardOptions, RateLimitDeps {
  readonly trustedProxies: readonly string[]
}

export function createEdges(options: EdgeOptions): Edges {
  return {
    hostGuard: createHostGuard(options),
    forwarding: createForwarding(options.trustedProxies),
    rates: createRateLimits(options),
  }
}
