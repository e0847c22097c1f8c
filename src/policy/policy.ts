import type { Principal } from '#identity/principal'

/** What somebody may want to do with a tool. */
type Action = 'search'

/** What a decision can be about. */
interface Resource {
  readonly kind: 'tool'
  /** Exposed name. */
  readonly name: string
  readonly server: string
}

interface Decision {
  readonly allowed: boolean
  /** Which rule decided. */
  readonly rule: string
}

/** May they: the one place that every surface asks. */
export interface Policy {
  decide(principal: Principal, action: Action, resource: Resource): Decision
  /** Principals with one scope are allowed the same: what was found for one may be shown to another. */
  scopeOf(principal: Principal): string
}

/** The rule on a gateway that listens on loopback only and asks for no credential. */
export const ALLOW_ALL: Policy = {
  decide: () => ({ allowed: true, rule: 'local' }),
  scopeOf: () => 'local',
}
