import type { RequestOptions } from './raw-peer.ts'

/** One request of a script. */
export interface Step extends RequestOptions {
  readonly method: string
  /** Members of params, raw. */
  readonly params: string
  /** Methods that one era does not have. */
  readonly only?: 'legacy'
  /** What of the exchange is not the same twice, why, and what is compared instead. */
  readonly varies?: { readonly why: string; readonly undo: (text: string) => string }
}

/** What scripts are written with: exposed names, and places that differ from run to run. */
export interface Place {
  /** The raw text of the exposed name. */
  name(original: string): string
  readonly directory: string
  /** Unique among the runs. */
  readonly run: string
}

export type Script = (place: Place) => readonly Step[]

export type Options = Omit<Step, 'method' | 'params'>

export const step = (method: string, params = '', options: Options = {}): Step => ({ method, params, ...options })

/** Steps that call tools and prompts by their original names. */
export function callsOf({ name }: Place) {
  return {
    tool: (tool: string, args = '{}', options: Options = {}): Step =>
      step('tools/call', `"name":${name(tool)},"arguments":${args}`, options),
    prompt: (prompt: string, args?: string, options: Options = {}): Step =>
      step('prompts/get', `"name":${name(prompt)}${args === undefined ? '' : `,"arguments":${args}`}`, options),
    complete: (ref: string, argument: string, more = ''): Step =>
      step('completion/complete', `"ref":${ref},"argument":${argument}${more}`),
    promptRef: (prompt: string): string => `{"type":"ref/prompt","name":${name(prompt)},"future":1}`,
  }
}

/** Lists, with members that nobody knows. */
export const LISTS: readonly Step[] = [
  step('tools/list'),
  step('tools/list', '"future":{"n":1.0}', { meta: '"example.com/n":1.0' }),
  step('prompts/list'),
  step('resources/list'),
  step('resources/templates/list'),
]

export const PINGS: readonly Step[] = [
  step('ping', '', { only: 'legacy' }),
  step('ping', '"future":1', { only: 'legacy', id: '""', meta: '"example.com/n":1.0' }),
]

const IDS = [
  '0',
  '""',
  '"1"',
  '-7',
  '"ü-東京-😀"',
  '"with \\"quotes\\" and \\\\"',
  `"${'long'.repeat(500)}"`,
  '9007199254740991',
  '-9007199254740991',
]
const TOKENS = ['0', '""', '-1', '"ü-東京-😀"', '9007199254740991', `"${'t'.repeat(500)}"`]

/** The same request under ids that clients may choose. */
export const oddIds = (request: Step): Step[] => IDS.map((id) => ({ ...request, id }))

/** The same request with progress tokens that clients may choose. */
export const oddTokens = (request: Step): Step[] =>
  TOKENS.map((token) => ({ ...request, meta: `"progressToken":${token},"example.com/n":1.0` }))
