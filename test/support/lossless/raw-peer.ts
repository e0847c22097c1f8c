import { until } from '../until.ts'
import type { Pipe } from './pipes.ts'
import { rawMember, rawMembers } from './raw-json.ts'

export type Era = 'legacy' | 'modern'

/** What one request brought, as raw text. */
export interface Exchange {
  /** `{"result":…}` or `{"error":…}`; "unanswered" where none came. */
  readonly answer: string
  /** Its progress, in order, before the answer. */
  readonly progress: readonly string[]
  /** Whatever else the server told: `method params`. */
  readonly told: readonly string[]
  /** What the server asked: `method params`. */
  readonly asked: readonly string[]
}

export interface RequestOptions {
  /** Raw. */
  readonly id?: string
  /** Members of `_meta`, raw: `"progressToken":0,"example.com/x":1.0`. */
  readonly meta?: string
  readonly headers?: Readonly<Record<string, string>>
  /** How many messages of which method must have come before the exchange is over. */
  readonly awaits?: Readonly<Record<string, number>>
  /** Cancel once this much progress has come. */
  readonly cancelAfter?: number
}

export interface Peer extends AsyncDisposable {
  readonly era: Era
  readonly kind: Pipe['kind']
  /** The result of `initialize` or `server/discover`. */
  readonly hello: string
  request(method: string, params: string, options?: RequestOptions): Promise<Exchange>
  /** Opens a modern stream of news. */
  listen(notifications: string): Promise<void>
}

const VERSION = { legacy: '2025-11-25', modern: '2026-07-28' }
export const CLAIM = 'io.modelcontextprotocol/'
export const CAPABILITIES =
  '{"sampling":{"tools":{},"context":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true}}'
const INFO = '{"name":"lossless","version":"1.0.0"}'
const SAMPLE =
  '{"model":"m-1","role":"assistant","stopReason":"endTurn","content":{"type":"text","text":"P\\u0061ris \\/ 東京"},"_meta":{"example.com/n":1.0},"future":{"deep":[true,1.50]}}'
const FORM =
  '{"action":"accept","content":{"answer":"yes","name":"Ada","color":"red","context":"tests","ok":true,"username":"ada","email":"ada@example.com"},"_meta":{"example.com/n":1.0}}'
const CANCEL_SILENCE_MS = 150

interface Open {
  readonly idText: string
  readonly progress: string[]
  readonly answered: PromiseWithResolvers<string>
  isAnswered: boolean
}

/** A client that reads and writes raw text, one request at a time, and answers every question always alike. */
export async function connectPeer(pipe: Pipe, era: Era, rootUri: string): Promise<Peer> {
  let open: Open | undefined
  /** Token of the call that was cancelled: what is on its way then still arrives. */
  let cancelled: string | undefined
  let told: string[] = []
  let asked: string[] = []
  const answerTo = (method: string, params: string): string => {
    if (method === 'roots/list') return `{"roots":[{"uri":${JSON.stringify(rootUri)},"name":"home"}]}`
    if (method === 'sampling/createMessage') return SAMPLE
    return params.includes('"mode":"url"') ? '{"action":"accept"}' : FORM
  }
  const say = (method: string, params: string, headers?: Readonly<Record<string, string>>): void =>
    pipe.send(`{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${params}}`, headers)

  pipe.onMessage = (text) => {
    const members = rawMembers(text)
    const at = (key: string): string | undefined => members.find((member) => member.key === key)?.value
    const method = at('method')
    const params = at('params') ?? '{}'
    if (method === undefined) {
      const answer = at('result') === undefined ? `{"error":${at('error')}}` : `{"result":${at('result')}}`
      if (!open || (at('id') !== open.idText && at('id') !== 'null')) told.push(`answer to nothing: ${text}`)
      else {
        open.isAnswered = true
        open.answered.resolve(answer)
      }
      return
    }
    const name = JSON.parse(method) as string
    const id = at('id')
    if (id !== undefined) {
      if (name !== 'ping') asked.push(`${name} ${params}`)
      const result = name === 'ping' ? '{}' : answerTo(name, params)
      pipe.send(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
    } else if (name !== 'notifications/progress') told.push(`${name} ${params}`)
    else if (rawMember(params, 'progressToken') === cancelled) return
    else if (!open || open.isAnswered) told.push(`late progress ${params}`)
    else open.progress.push(params)
  }

  const ask = async (method: string, members: string, options: RequestOptions): Promise<string> => {
    const idText = options.id ?? '1'
    const claim =
      era === 'modern'
        ? `"${CLAIM}protocolVersion":"${VERSION.modern}","${CLAIM}clientCapabilities":${CAPABILITIES},"${CLAIM}clientInfo":${INFO},"${CLAIM}logLevel":"debug"`
        : ''
    const meta = [claim, options.meta ?? ''].filter((part) => part !== '').join(',')
    const params = [members, meta === '' ? '' : `"_meta":{${meta}}`].filter((part) => part !== '').join(',')
    const answered = Promise.withResolvers<string>()
    open = { idText, progress: open?.progress ?? [], answered, isAnswered: false }
    const body = `{"jsonrpc":"2.0","id":${idText},"method":${JSON.stringify(method)},"params":{${params}}}`
    pipe.send(body, { ...(era === 'modern' ? headersOf(method, params) : {}), ...options.headers })
    if (options.cancelAfter === undefined) return within(`an answer to ${body.slice(0, 300)}`, answered.promise)
    const { progress } = open
    await until(`progress of ${method}`, () => progress.length >= Number(options.cancelAfter))
    cancelled = rawMember(`{${options.meta ?? ''}}`, 'progressToken')
    if (era === 'modern' && pipe.kind === 'http') pipe.hangUp(idText)
    else say('notifications/cancelled', `{"requestId":${idText},"reason":"enough"}`)
    const silence = new Promise<string>((resolve) => setTimeout(() => resolve('unanswered'), CANCEL_SILENCE_MS))
    return Promise.race([answered.promise, silence])
  }

  /** A modern client answers `input_required` and asks again. */
  const askThrough = async (method: string, members: string, options: RequestOptions): Promise<string> => {
    let answer = await ask(method, members, options)
    for (let round = 0; round < 8; round += 1) {
      const result = rawMember(answer, 'result')
      if (result === undefined || !/"resultType"\s*:\s*"input_required"/.test(result)) return answer
      const responses = rawMembers(rawMember(result, 'inputRequests') ?? '{}').map(({ keyText, value }) => {
        const name = JSON.parse(rawMember(value, 'method') ?? '""') as string
        const params = rawMember(value, 'params') ?? '{}'
        asked.push(`${name} ${params}`)
        return `${keyText}:${answerTo(name, params)}`
      })
      const state = rawMember(result, 'requestState')
      const more = `${members === '' ? '' : `${members},`}"inputResponses":{${responses.join(',')}}`
      answer = await ask(method, state === undefined ? more : `${more},"requestState":${state}`, options)
    }
    return answer
  }

  let hello = ''
  if (era === 'legacy') {
    const params = `"protocolVersion":"${VERSION.legacy}","capabilities":${CAPABILITIES},"clientInfo":${INFO}`
    hello = await ask('initialize', params, { id: '0' })
    say('notifications/initialized', '{}')
  } else hello = await ask('server/discover', '', { id: '0' })

  return {
    era,
    kind: pipe.kind,
    hello: rawMember(hello, 'result') ?? hello,
    async request(method, params, options = {}) {
      open = undefined
      const answer = await askThrough(method, params, options)
      for (const [awaited, count] of Object.entries(options.awaits ?? {})) {
        await until(`${count} × ${awaited} after ${method}, told: ${told.join(' | ')}`, () => {
          return told.filter((each) => each.startsWith(`${awaited} `)).length >= count
        })
      }
      const exchange = { answer, progress: (open as Open | undefined)?.progress ?? [], told, asked }
      told = []
      asked = []
      return exchange
    },
    async listen(notifications) {
      const meta = `"_meta":{"${CLAIM}protocolVersion":"${VERSION.modern}","${CLAIM}clientCapabilities":{}}`
      const body = `{"jsonrpc":"2.0","id":"listen","method":"subscriptions/listen","params":{"notifications":${notifications},${meta}}}`
      pipe.send(body, headersOf('subscriptions/listen', ''))
      await until('acknowledged', () => told.some((each) => each.includes('acknowledged')))
      told = []
    },
    [Symbol.asyncDispose]: () => pipe[Symbol.asyncDispose](),
  }
}

function headersOf(method: string, members: string): Record<string, string> {
  const named = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' }[method]
  const name = named === undefined ? undefined : rawMember(`{${members}}`, named)
  return {
    'mcp-protocol-version': VERSION.modern,
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': JSON.parse(name) as string }),
  }
}

async function within<T>(what: string, promise: Promise<T>, ms = 20_000): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`not in ${ms} ms: ${what}`)), ms)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
