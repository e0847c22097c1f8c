import type { Era, Exchange } from './raw-peer.ts'
import { CLAIM } from './raw-peer.ts'
import { rawMember, rawMembers, without, withMembers } from './raw-json.ts'
import type { Step } from './steps.ts'

/** Where an exchange took place. */
export interface Cell {
  /** In whose words the two are compared. */
  readonly client: Era
  readonly performer: Era
  readonly server: Era
  readonly prefix: string
  readonly directory: string
  readonly ignores: readonly { readonly matches: RegExp }[]
}

const HINTS = ['resultType', 'ttlMs', 'cacheScope']

/**
 * An exchange as one text that must be the same direct and through the gateway. Taken out is what the gateway owns, and
 * between the eras what mcp-protocol.md §13 has the bridge add, drop and translate:
 * A (legacy client, modern server) drops `resultType`, `ttlMs`, `cacheScope`, and says -32002 for an unknown resource;
 * B (modern client, legacy server) adds those three and the server's stamp, and says -32602, never -32002 or -32042.
 */
export function comparable(exchange: Exchange, at: Step, cell: Cell): string {
  const undo = (text: string): string => {
    // A stream of events and a pipe have one line for a message; strings have no raw line ends.
    const own = text
      .replaceAll(/[\r\n]+/g, ' ')
      .replaceAll(runOf(cell), 'RUN')
      .replaceAll(cell.directory, 'DIRECTORY')
    return at.varies ? at.varies.undo(own) : own
  }
  const kept = (each: string): boolean => !cell.ignores.some(({ matches }) => matches.test(each))
  const lines = [
    undo(answerOf(exchange.answer, at, cell)),
    // How much came before the cancel arrived is a race.
    ...exchange.progress.slice(0, at.cancelAfter).map((params) => `progress ${withoutStamp(params)}`),
    ...exchange.told
      .filter(kept)
      .map((each) => `told ${undo(withoutTag(each))}`)
      .toSorted(),
    ...exchange.asked
      .filter(kept)
      .map((each) => `asked ${undo(each)}`)
      .toSorted(),
  ]
  return lines.join('\n')
}

function answerOf(answer: string, { method }: Step, cell: Cell): string {
  const result = rawMember(answer, 'result')
  // Which lists there are is the gateway's to say: a server may come that has what this one has not.
  if (method.endsWith('/list') && (/"code":-32601/.test(answer) || /^\{"\w+":\[\]/.test(result ?? ''))) return 'no list'
  if (result === undefined) return errorOf(answer, cell)
  if (method.endsWith('/list')) return unprefixed(without(result, [...HINTS, '_meta']), cell)
  const own = echoed(result, 'structuredContent', cell)
  if (cell.client === cell.server) return own
  return withMembers(without(own, HINTS), ({ key, value }) => {
    if (key !== '_meta') return value
    const rest = withoutStamp(value)
    return rest === '{}' ? undefined : rest
  })
}

function withoutStamp(meta: string): string {
  return without(meta, [`${CLAIM}serverInfo`])
}

function errorOf(answer: string, cell: Cell): string {
  const { client, server } = cell
  const whole = rawMember(answer, 'error')
  if (whole === undefined) return answer
  const error = echoed(whole, 'data', cell)
  if (client === server) return error
  const codes: Record<string, string> = { '-32002': '-32602', '-32042': '-31502' }
  return withMembers(error, ({ key, value }) => (key === 'code' ? (codes[value] ?? value) : value))
}

/** Names in lists. */
function unprefixed(result: string, { prefix }: Cell): string {
  return prefix === '' ? result : result.replaceAll(`"name":"${prefix}__`, '"name":"')
}

/** `params` that the verbatim server sent back: the name, the progress token and the claim in them are not the client's. */
function echoed(result: string, member: string, cell: Cell): string {
  const holder = rawMember(result, member)
  const params = holder?.startsWith('{') ? rawMember(holder, 'params') : undefined
  if (params === undefined) return result
  const theirs = withMembers(params, ({ key, value }) => {
    if (key === '_meta') return metaOf(value)
    return key === 'ref' ? unprefixedName(value, cell) : value
  })
  return result.replace(params, () => unprefixedName(theirs, cell))
}

function metaOf(meta: string): string | undefined {
  const rest = rawMembers(meta).filter(({ key }) => !key.startsWith(CLAIM) && key !== 'progressToken')
  return rest.length === 0 ? undefined : `{${rest.map(({ keyText, value }) => `${keyText}:${value}`).join(',')}}`
}

function unprefixedName(params: string, { prefix }: Cell): string {
  return prefix === '' ? params : params.replace(`"${prefix}__`, '"')
}

/** A modern stream of news marks each message with the id of the request that opened it. */
function withoutTag(told: string): string {
  const at = told.indexOf(' ')
  const params = withMembers(told.slice(at + 1), ({ key, value }) => {
    const rest = key === '_meta' ? without(value, [`${CLAIM}subscriptionId`]) : value
    return key === '_meta' && rest === '{}' ? undefined : rest
  })
  return `${told.slice(0, at)} ${params}`
}

/** What a run writes into its requests to be told from the others. */
export function runOf({ directory, performer }: Pick<Cell, 'directory' | 'performer'>): string {
  return `${directory.split('/').at(-1)}-by-${performer}`
}
