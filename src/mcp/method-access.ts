import { LIST_METHODS } from './lists.ts'
import { CALL_METHODS } from './primitives.ts'
import { TASK_METHODS } from './tasks.ts'

/** Of each thing that a method lists, uses or tells of, the permissions one of which the caller needs. */
type MethodAccess = 'self' | readonly ('tools:execute' | 'prompts:use' | 'resources:use')[]

/**
 * What every method of the endpoint asks for; `self` only who is calling. One that is not here does not exist, whatever
 * has a handler.
 */
export const METHOD_ACCESS: ReadonlyMap<string, MethodAccess> = new Map<string, MethodAccess>([
  ['initialize', 'self'],
  ['server/discover', 'self'],
  ['ping', 'self'],
  ['logging/setLevel', 'self'],
  ['tools/list', ['tools:execute']],
  ['tools/call', ['tools:execute']],
  ['prompts/list', ['prompts:use']],
  ['prompts/get', ['prompts:use']],
  ['resources/list', ['resources:use']],
  ['resources/templates/list', ['resources:use']],
  ['resources/read', ['resources:use']],
  ['resources/subscribe', ['resources:use']],
  ['resources/unsubscribe', 'self'],
  ['subscriptions/listen', ['resources:use']],
  ['completion/complete', ['prompts:use', 'resources:use']],
  // Only the session that made a task hears of it.
  ['tasks/get', 'self'],
  ['tasks/result', 'self'],
  ['tasks/list', 'self'],
  ['tasks/cancel', 'self'],
])

export function isDeclared(method: string): boolean {
  return METHOD_ACCESS.has(method)
}

const HANDLED = [...Object.keys(CALL_METHODS), ...Object.keys(LIST_METHODS), ...TASK_METHODS]

/** Throws when a method with a handler does not say what it asks for. */
export function checkMethods(methods: readonly string[] = HANDLED): void {
  const undeclared = methods.find((method) => !isDeclared(method))
  if (undeclared !== undefined) throw new Error(`The method ${undeclared} declares no access`)
}

/** The table as the documentation shows it. */
export function methodTable(): string {
  const rows = [...METHOD_ACCESS].map(([method, access]) => {
    return `| \`${method}\` | ${access === 'self' ? 'self' : access.join(' or ')} |`
  })
  return ['| method | needs, of each thing |', '| --- | --- |', ...rows].join('\n')
}
