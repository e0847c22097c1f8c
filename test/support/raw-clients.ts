import { rawHttp, type Exchange, type Json, type Message, type PostOptions } from './raw-http.ts'

const CLAIM = 'io.modelcontextprotocol/'
export const MODERN = '2026-07-28'
export const ASKABLE = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } }

/** Answers a server's question. */
export type Answerer = (method: string, params: Json) => Json | Promise<Json>

/** A client that writes JSON-RPC by hand, so that ids and tokens are what a test wants. */
export interface RawClient extends AsyncDisposable {
  /** The answer to one request. `seen` gets everything that came before it for this client. */
  call(method: string, params?: Json, options?: CallOptions): Promise<Message>
  /** Everything that came for this client outside of its answers. */
  readonly heard: Message[]
}

export interface CallOptions {
  readonly id?: string | number
  readonly signal?: AbortSignal
}

export interface LegacyOptions {
  readonly capabilities?: Json
  readonly version?: string
  readonly answer?: Answerer
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface LegacyRaw extends RawClient {
  readonly headers: Record<string, string>
  /** The result of `initialize`. */
  readonly hello: Json
  post(message: unknown, options?: PostOptions): Promise<Exchange>
  get(options?: PostOptions): Promise<Exchange>
  end(): Promise<Exchange>
}

/** A client of the legacy era over Streamable HTTP, with its own stream open. */
export async function legacyRaw(url: string, options: LegacyOptions = {}): Promise<LegacyRaw> {
  const { capabilities = {}, version = '2025-11-25', answer } = options
  const http = rawHttp()
  const heard: Message[] = []
  const headers: Record<string, string> = { ...options.headers }
  const post = (message: unknown, more: PostOptions = {}): Promise<Exchange> =>
    http.send(url, 'POST', typeof message === 'string' ? message : JSON.stringify(message), {
      ...more,
      headers: { ...headers, ...more.headers },
    })
  const take = (message: Message | undefined): void => {
    if (!message || message.method === undefined) return
    heard.push(message)
    if (message.id === undefined || !answer) return
    void Promise.resolve(answer(message.method, message.params ?? {})).then(
      (result) => post({ jsonrpc: '2.0', id: message.id, result }),
      () => undefined,
    )
  }
  const params = { protocolVersion: version, capabilities, clientInfo: { name: 'raw', version: '1' } }
  const opened = await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
  headers['mcp-session-id'] = String(opened.headers['mcp-session-id'])
  headers['mcp-protocol-version'] = version
  const hello = opened.messages[0]?.result ?? {}
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
  const get = (more: PostOptions = {}): Promise<Exchange> =>
    http.send(url, 'GET', undefined, { ...more, headers: { ...headers, ...more.headers } })
  const opening = Promise.withResolvers<void>()
  get({
    onEvent: (message) => {
      opening.resolve()
      take(message)
    },
  }).catch(() => undefined)
  await opening.promise
  return {
    headers,
    hello,
    heard,
    post,
    get,
    call: async (method, callParams = {}, { id = 1, signal } = {}) => {
      const body = { jsonrpc: '2.0', id, method, params: callParams }
      const { messages, status } = await post(body, { onEvent: take, ...(signal ? { signal } : {}) })
      return answerIn(messages, `${method}: HTTP ${status}`)
    },
    end: () => http.send(url, 'DELETE', undefined, { headers }),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

export interface ModernOptions {
  readonly capabilities?: Json
  readonly answer?: Answerer
  readonly logLevel?: string
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface ModernRaw extends RawClient {
  /** One request without any help: an `input_required` comes back as it is. */
  send(method: string, params: Json, options?: CallOptions & PostOptions): Promise<Exchange>
}

/** A client of 2026-07-28: answers `input_required` with `answer` and asks again. */
export function modernRaw(url: string, options: ModernOptions = {}): ModernRaw {
  const { capabilities = {}, answer, logLevel } = options
  const http = rawHttp()
  const heard: Message[] = []
  const claim = {
    [`${CLAIM}protocolVersion`]: MODERN,
    [`${CLAIM}clientCapabilities`]: capabilities,
    [`${CLAIM}clientInfo`]: { name: 'raw', version: '1' },
    ...(logLevel === undefined ? {} : { [`${CLAIM}logLevel`]: logLevel }),
  }
  const send: ModernRaw['send'] = (method, params, { id = 1, headers, ...more } = {}) => {
    const _meta = { ...claim, ...(params['_meta'] as Json | undefined) }
    const name = params[method === 'resources/read' ? 'uri' : 'name']
    const mirrored = {
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(typeof name === 'string' && method !== 'completion/complete' ? { 'mcp-name': name } : {}),
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } })
    return http.send(url, 'POST', body, { ...more, headers: { ...options.headers, ...mirrored, ...headers } })
  }
  const onEvent = (message: Message | undefined): void => {
    if (message?.method !== undefined) heard.push(message)
  }
  const call: RawClient['call'] = async (method, params = {}, callOptions = {}) => {
    const { messages, status } = await send(method, params, { ...callOptions, onEvent })
    const said = answerIn(messages, `${method}: HTTP ${status}`)
    if (said.result?.['resultType'] !== 'input_required' || !answer) return said
    const { requestState } = said.result
    const state = requestState === undefined ? {} : { requestState }
    return call(method, { ...params, ...state, inputResponses: await answers(said.result, answer) }, callOptions)
  }
  return { call, send, heard, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

/** The answers to what an `input_required` asks. */
export async function answers({ inputRequests }: Json, answer: Answerer): Promise<Json> {
  const questions = Object.entries(inputRequests as Record<string, { method: string; params?: Json }>)
  const given = questions.map(async ([key, { method, params }]) => [key, await answer(method, params ?? {})] as const)
  return Object.fromEntries(await Promise.all(given))
}

function answerIn(messages: readonly Message[], what: string): Message {
  const answer = messages.find(({ method }) => method === undefined)
  if (!answer) throw new Error(`${what} brought no answer`)
  return answer
}
