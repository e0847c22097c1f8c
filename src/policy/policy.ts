import type { Principal } from '#identity/principal'
import type { Facts } from './condition.ts'
import {
  covers,
  hasNames,
  isAbout,
  isAboutAll,
  isFor,
  readPermission,
  type Action,
  type Permission,
} from './permission.ts'
import type { Role } from './roles.ts'

interface Decision {
  readonly allowed: boolean
  /** Which rule decided, in words for an operator. */
  readonly rule: string
}

/** What of a principal a decision depends on. */
export type Asker = Pick<Principal, 'roles' | 'permissions' | 'namespaces'>

/** May they: the one place that every surface asks. */
export interface Policy {
  /**
   * Without a name: whether there is anything that the principal may do this with. A condition on what a thing has not is
   * not met.
   */
  decide(principal: Asker, action: Action, name?: string, facts?: Facts): Decision
  /** Whether this may be done with everything, whatever its name and facts: then nobody needs to ask about each. */
  allowsAll(principal: Asker, action: Action): boolean
  /** Whether the principal has everything that the role gives, and so can give it on. False where that cannot be told. */
  covers(principal: Asker, role: Role): boolean
  /** Principals with one scope are allowed the same: what was found for one may be shown to another. */
  scopeOf(principal: Asker): string
  /** Rises when the rules change: what was remembered of a scope is void. */
  revision(): number
  /** Told of every change of the rules, once they are in force; answers how to hear no more. */
  onChange(told: () => void): () => void
}

/** A policy whose roles can change while it runs. */
export interface LivePolicy extends Policy {
  /** Puts other roles in force, for the next decision. */
  use(roles: readonly Role[]): void
}

/** Rules are compiled again when those of so many scopes are remembered. */
const SCOPES_MAX = 10_000

/** Decides by the roles of the principal. A role that there is not allows nothing. */
export function createPolicy(roles: readonly Role[]): LivePolicy {
  let byName = new Map<string, Role>()
  let revision = 0
  let byScope = new Map<string, Rules>()
  let byAsker = new WeakMap<Asker, Rules>()
  const listeners = new Set<() => void>()
  const use = (next: readonly Role[]): void => {
    byName = new Map(next.map((role) => [role.name, role]))
    revision += 1
    byScope = new Map()
    byAsker = new WeakMap()
    for (const told of listeners) told()
  }
  const rolesOf = (asker: Asker): Role[] => asker.roles.flatMap((name) => byName.get(name) ?? [])
  const rulesOf = (asker: Asker): Rules => {
    const known = byAsker.get(asker)
    if (known) return known
    const scope = scopeOf(asker)
    const rules = byScope.get(scope) ?? createRules(rolesOf(asker), asker.permissions)
    if (byScope.size >= SCOPES_MAX) byScope.clear()
    byScope.set(scope, rules)
    byAsker.set(asker, rules)
    return rules
  }
  use(roles)
  return {
    use,
    scopeOf: (principal) => `${revision} ${scopeOf(principal)}`,
    revision: () => revision,
    onChange(told) {
      listeners.add(told)
      return () => listeners.delete(told)
    },
    allowsAll: (principal, action) => rulesOf(principal)(action).isForAll,
    decide: (principal, action, name, facts = NOTHING_KNOWN) => rulesOf(principal)(action).decide(name, facts),
    covers(principal, role) {
      const own = rolesOf(principal)
      if (own.some(({ deny }) => deny.length > 0) || principal.namespaces) return false
      const narrowing = principal.permissions?.map(readPermission)
      const all = own.flatMap(({ allow }) => allow)
      return role.allow.every((each) => isCovered(each, all) && (!narrowing || isCovered(each, narrowing)))
    },
  }
}

function isCovered(each: Permission, by: readonly Permission[]): boolean {
  return by.some((wide) => covers(wide, each))
}

const NOTHING_KNOWN: Facts = {}

function scopeOf({ roles, permissions, namespaces }: Asker): string {
  const own = roles.toSorted().join(' ')
  if (!permissions && !namespaces) return own
  return `${own} ${JSON.stringify([permissions?.toSorted(), namespaces?.toSorted()])}`
}

/** What one scope may do, by action. */
type Rules = (action: Action) => {
  readonly isForAll: boolean
  decide(name: string | undefined, facts: Facts): Decision
}

interface Rule {
  readonly permission: Permission
  readonly decision: Decision
}

/** The rules of some roles, sorted out for each action when it is first asked for. */
function createRules(roles: readonly Role[], narrowing: readonly string[] | undefined): Rules {
  const known = new Map<Action, ReturnType<Rules>>()
  const limits = narrowing?.map(readPermission)
  return function rulesFor(action) {
    const compiled = known.get(action) ?? compile(roles, limits, action)
    known.set(action, compiled)
    return compiled
  }
}

function compile(roles: readonly Role[], limits: readonly Permission[] | undefined, action: Action): ReturnType<Rules> {
  const denials = rulesFor(roles, 'deny', action)
  const counts = (permission: Permission) => hasNames(action) || isAboutAll(permission)
  const allowances = allowancesFor(roles, action).filter(({ permission }) => counts(permission))
  const own = limits?.filter((each) => isFor(each, action) && counts(each))
  const isLimited = own !== undefined && (action !== 'routes:use' || own.length > 0)
  const none = { allowed: false, rule: `no role allows ${action}` }
  const beyond = { allowed: false, rule: `the credential is not good for ${action}` }
  return {
    isForAll: denials.length === 0 && allowances.some(isWide) && (!isLimited || own.some(isAboutAll)),
    decide(name, facts) {
      const isMeant = ({ permission }: Rule) => name === undefined || isAbout(permission, name, facts)
      // A denial of some things does not deny the action itself.
      const isDenied = (rule: Rule) => (name === undefined ? isWide(rule) : isAbout(rule.permission, name, facts))
      const decided = denials.find(isDenied) ?? allowances.find(isMeant)
      if (!decided?.decision.allowed) return decided?.decision ?? none
      // A credential may be good for less than its owner may do; never for more.
      const isGood = !isLimited || own.some((each) => name === undefined || isAbout(each, name, facts))
      return isGood ? decided.decision : beyond
    },
  }
}

function allowancesFor(roles: readonly Role[], action: Action): readonly Rule[] {
  return action === 'routes:use' && roles.length > 0 ? EVERY_ROUTE : rulesFor(roles, 'allow', action)
}

function rulesFor(roles: readonly Role[], kind: 'allow' | 'deny', action: Action): readonly Rule[] {
  const allowed = kind === 'allow'
  const verb = allowed ? 'allows' : 'denies'
  return roles.flatMap((role) =>
    role[kind]
      .filter((permission) => isFor(permission, action))
      .map((permission) => ({
        permission,
        decision: { allowed, rule: `role ${role.name} ${verb} ${permission.text}` },
      })),
  )
}

function isWide({ permission }: Rule): boolean {
  return isAboutAll(permission)
}

/** What opens a route is its own permission; this one is only there to be denied. */
const EVERY_ROUTE: readonly Rule[] = [
  { permission: readPermission('routes:use'), decision: { allowed: true, rule: 'no role denies the route' } },
]
