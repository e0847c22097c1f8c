import type { Principal } from '#identity/principal'
import { isAbout, isFor, readPermission, type Action, type Permission } from './permission.ts'
import type { Role } from './roles.ts'

interface Decision {
  readonly allowed: boolean
  /** Which rule decided, in words for an operator. */
  readonly rule: string
}

/** What of a principal a decision depends on. */
export type Asker = Pick<Principal, 'roles' | 'permissions'>

/** May they: the one place that every surface asks. */
export interface Policy {
  /** Without a name: whether there is anything that the principal may do this with. */
  decide(principal: Asker, action: Action, name?: string): Decision
  /** Principals with one scope are allowed the same: what was found for one may be shown to another. */
  scopeOf(principal: Asker): string
  /** Rises when the rules change: what was remembered of a scope is void. */
  revision(): number
}

/** A policy whose roles can change while it runs. */
export interface LivePolicy extends Policy {
  /** Puts other roles in force, for the next decision. */
  use(roles: readonly Role[]): void
}

/** Decisions are made again when so many are remembered. */
const DECISIONS_MAX = 50_000

/** Decides by the roles of the principal. A role that there is not allows nothing. */
export function createPolicy(roles: readonly Role[]): LivePolicy {
  let byName = new Map<string, Role>()
  let revision = 0
  const known = new Map<string, Decision>()
  const use = (next: readonly Role[]): void => {
    byName = new Map(next.map((role) => [role.name, role]))
    revision += 1
    known.clear()
  }
  use(roles)
  return {
    use,
    scopeOf: (principal) => `${revision} ${scopeOf(principal)}`,
    revision: () => revision,
    decide(principal, action, name) {
      const key = `${scopeOf(principal)}\n${action}\n${name ?? ''}`
      const cached = known.get(key)
      if (cached) return cached
      const own = principal.roles.flatMap((role) => byName.get(role) ?? [])
      const decision = narrowed(decideBy(own, action, name), principal, { action, name })
      if (known.size >= DECISIONS_MAX) known.clear()
      known.set(key, decision)
      return decision
    },
  }
}

function scopeOf({ roles, permissions }: Asker): string {
  const own = roles.toSorted().join(' ')
  return permissions === undefined ? own : `${own} ${JSON.stringify(permissions.toSorted())}`
}

/** A credential may be good for less than its owner may do; never for more. */
function narrowed(
  decision: Decision,
  { permissions }: Asker,
  { action, name }: { readonly action: Action; readonly name: string | undefined },
): Decision {
  if (!decision.allowed || permissions === undefined) return decision
  const covers = permissions
    .map(readPermission)
    .some((each) => isFor(each, action) && (name === undefined || isAbout(each, name)))
  return covers ? decision : { allowed: false, rule: `the credential is not good for ${action}` }
}

function decideBy(roles: readonly Role[], action: Action, name: string | undefined): Decision {
  const find = (kind: 'allow' | 'deny', isMeant: (permission: Permission) => boolean) => {
    for (const role of roles) {
      const permission = role[kind].find((each) => isFor(each, action) && isMeant(each))
      if (permission) return { role, permission }
    }
    return undefined
  }
  // A denial of some names does not deny the action itself.
  const denied = find('deny', (each) => (name === undefined ? each.pattern === undefined : isAbout(each, name)))
  if (denied) return { allowed: false, rule: `role ${denied.role.name} denies ${denied.permission.text}` }
  const allowed = find('allow', (each) => name === undefined || isAbout(each, name))
  if (allowed) return { allowed: true, rule: `role ${allowed.role.name} allows ${allowed.permission.text}` }
  return { allowed: false, rule: `no role allows ${action}` }
}
