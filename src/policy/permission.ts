import { ValidationError } from '#kernel/errors'
import { matchesGlob } from '#kernel/glob'

/** What can be done with what: a route or a method needs one of these. */
const ACTIONS = {
  tools: ['read', 'execute', 'create', 'update', 'delete'],
  prompts: ['use'],
  resources: ['use'],
  servers: ['read', 'create', 'update', 'delete'],
  namespaces: ['read', 'create', 'update', 'delete'],
  executions: ['read'],
  searches: ['read', 'report', 'delete'],
  health: ['read'],
  metrics: ['read'],
  settings: ['read', 'update'],
  roles: ['read', 'create', 'update', 'delete'],
  users: ['read', 'create', 'update', 'delete'],
} as const

type Resource = keyof typeof ACTIONS
export type Action = { [R in Resource]: `${R}:${(typeof ACTIONS)[R][number]}` }[Resource]

/** `resource:action` or `resource:action:pattern`; `*` is any run of characters in each part. */
export interface Permission {
  readonly text: string
  readonly resource: string
  readonly action: string
  /** Of names; undefined for all of them. */
  readonly pattern: string | undefined
}

/** Throws `validation_error` for what is no permission, or one of which no part exists. */
export function readPermission(text: string): Permission {
  const [resource = '', action = '', ...rest] = text.split(':')
  const pattern = rest.length === 0 ? undefined : rest.join(':')
  const permission = { text, resource, action, pattern }
  const isKnown = allActions().some((known) => isFor(permission, known))
  if (isKnown && pattern !== '') return permission
  throw new ValidationError(`${JSON.stringify(text)} is no permission: it names no action that there is`)
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
export function isFor({ resource, action }: Permission, wanted: Action): boolean {
  const [wantedResource = '', wantedAction = ''] = wanted.split(':')
  return matchesGlob(resource, wantedResource) && matchesGlob(action, wantedAction)
}

/** Whether it is about a thing of this name. */
export function isAbout({ pattern }: Permission, name: string): boolean {
  return pattern === undefined || matchesGlob(pattern, name)
}
