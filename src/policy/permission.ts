import { ValidationError } from '#kernel/errors'
import { matchesGlob } from '#kernel/glob'
import { conditionText, testsOf, type Condition, type FactTest, type Facts } from './condition.ts'

/** What can be done with what: a route or a method needs one of these. */
const ACTIONS = {
  tools: ['read', 'execute', 'create', 'update', 'delete'],
  prompts: ['use'],
  resources: ['use'],
  servers: ['read', 'create', 'update', 'delete'],
  namespaces: ['read', 'create', 'update', 'delete'],
  executions: ['read'],
  searches: ['read', 'report', 'delete'],
  cache: ['read', 'delete'],
  health: ['read'],
  breakers: ['read', 'reset'],
  metrics: ['read'],
  settings: ['read', 'update'],
  secrets: ['rotate'],
  roles: ['read', 'create', 'update', 'delete'],
  audit: ['read'],
  users: ['read', 'create', 'update', 'delete'],
  // Everybody may, unless a role denies it; the name is `DELETE /api/v1/tools/{name}`.
  routes: ['use'],
} as const

type Resource = keyof typeof ACTIONS
export type Action = { [R in Resource]: `${R}:${(typeof ACTIONS)[R][number]}` }[Resource]

/** `resource:action` or `resource:action:pattern`; `*` is any run of characters in each part. */
export interface Permission {
  /** As a rule that decided is named. */
  readonly text: string
  readonly resource: string
  readonly action: string
  /** Of names; undefined for all of them. */
  readonly pattern: string | undefined
  readonly written: WrittenPermission
  /** Of its condition; none without one. */
  readonly tests: readonly FactTest[]
}

/** As operators write it, with a condition or without. */
export type WrittenPermission = string | { readonly permission: string; readonly when: Condition }

/** Throws `validation_error` for what is no permission, or one of which no part exists. */
export function readPermission(written: WrittenPermission): Permission {
  const text = typeof written === 'string' ? written : written.permission
  const when = typeof written === 'string' ? {} : written.when
  const [resource = '', action = '', ...rest] = text.split(':')
  const pattern = rest.length === 0 ? undefined : rest.join(':')
  const tests = testsOf(when)
  const condition = tests.length === 0 ? '' : ` when ${conditionText(when)}`
  const permission = { text: text + condition, resource, action, pattern, written, tests }
  const isKnown = allActions().some((known) => isFor(permission, known))
  if (isKnown && pattern !== '') return permission
  throw new ValidationError(`${JSON.stringify(text)} is no permission: it names no action that there is`)
}

/** Of these each thing is decided about for itself; of the others there is all or nothing. */
const NAMED: ReadonlySet<string> = new Set(['tools', 'prompts', 'resources', 'servers', 'namespaces', 'routes'])

/** Whether a permission can be about some things only. */
export function hasNames(action: Action): boolean {
  return NAMED.has(action.split(':')[0] ?? '')
}

/** The same for what somebody writes now: throws also when it limits what has no names to be limited by. */
export function checkPermission(written: WrittenPermission): void {
  const permission = readPermission(written)
  if (isAboutAll(permission) || NAMED.has(permission.resource) || permission.resource.includes('*')) return
  throw new ValidationError(
    `${JSON.stringify(permission.text)} is no permission: ${permission.resource} are all or none`,
  )
}

export function isAction(text: string): text is Action {
  return allActions().some((action) => action === text)
}

export function allActions(): Action[] {
  return Object.entries(ACTIONS).flatMap(([resource, actions]) =>
    actions.map((action) => `${resource}:${action}` as Action),
  )
}

/** Whether it is about this action, for some names at least. */
export function isFor({ resource, action }: Pick<Permission, 'resource' | 'action'>, wanted: Action): boolean {
  const [wantedResource = '', wantedAction = ''] = wanted.split(':')
  return matchesGlob(resource, wantedResource) && matchesGlob(action, wantedAction)
}

/** Whether it is about a thing of this name, of which this is known. */
export function isAbout({ pattern, tests }: Permission, name: string, facts: Facts): boolean {
  return (pattern === undefined || matchesGlob(pattern, name)) && tests.every((isMet) => isMet(facts))
}

/** Whether it is about all things there are. */
export function isAboutAll({ pattern, tests }: Permission): boolean {
  return pattern === undefined && tests.length === 0
}

/** Whether everything that `narrow` is about, `wide` is about too; false where that cannot be told. */
export function covers(wide: Permission, narrow: Permission): boolean {
  // A pattern that matches another pattern as if that were a name matches every name that the other one does.
  const { pattern: part } = narrow
  return (
    matchesGlob(wide.resource, narrow.resource) &&
    matchesGlob(wide.action, narrow.action) &&
    (wide.pattern === undefined || (part !== undefined && matchesGlob(wide.pattern, part))) &&
    (wide.tests.length === 0 || JSON.stringify(wide.written) === JSON.stringify(narrow.written))
  )
}
