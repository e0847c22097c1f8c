import type { ApiClient } from './api-client.ts'
import { legacyRaw, modernRaw } from './raw-clients.ts'
import type { Message } from './raw-http.ts'
import { until } from './until.ts'

type Headers = Readonly<Record<string, string>>

/** A stream that a client holds open and only listens to. */
export interface HeldStream extends AsyncDisposable {
  /** When it ended, by `performance.now()`. */
  readonly endedAt: number | undefined
  readonly heard: readonly Message[]
  /** What a request in its session answers; of a stream without a session undefined. */
  status(headers: Headers): Promise<number | undefined>
}

export const STREAMS = ['GET /mcp', 'subscriptions/listen', '/sse'] as const
export type StreamKind = (typeof STREAMS)[number]

export interface Place {
  readonly mcp: string
  readonly api: ApiClient
}

const PING = { jsonrpc: '2.0', id: 9, method: 'ping' }
const NEWS = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

export function holdStream(kind: StreamKind, place: Place, headers: Headers): Promise<HeldStream> {
  if (kind === 'GET /mcp') return holdSession(place, headers)
  return kind === '/sse' ? holdSse(place, headers) : holdListen(place, headers)
}

/** Notes the end of what comes. */
function follow(over: Promise<unknown>): { readonly endedAt: number | undefined } {
  const state: { endedAt: number | undefined } = { endedAt: undefined }
  const note = (): void => void (state.endedAt = performance.now())
  over.then(note, note)
  return state
}

async function holdSession({ mcp }: Place, headers: Headers): Promise<HeldStream> {
  const session = await legacyRaw(mcp, { headers })
  const heard: Message[] = []
  let isOpen = false
  const stream = follow(
    session.get({
      onEvent(message) {
        isOpen = true
        if (message) heard.push(message)
      },
    }),
  )
  await until('the stream is open', () => isOpen)
  return {
    heard,
    get endedAt() {
      return stream.endedAt
    },
    status: async (other) => (await session.post(PING, { headers: { ...other } })).status,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

async function holdListen({ mcp }: Place, headers: Headers): Promise<HeldStream> {
  const client = modernRaw(mcp, { headers })
  const heard: Message[] = []
  const onEvent = (message: Message | undefined): void => void (message && heard.push(message))
  const stream = follow(client.send('subscriptions/listen', { notifications: NEWS }, { onEvent }))
  await until('it is acknowledged', () => heard.length > 0)
  return {
    heard,
    get endedAt() {
      return stream.endedAt
    },
    status: async () => undefined,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

async function holdSse({ mcp, api }: Place, headers: Headers): Promise<HeldStream> {
  const abort = new AbortController()
  const response = await fetch(new URL('/sse', mcp), { headers, signal: abort.signal })
  const heard: Message[] = []
  let text = ''
  const read = async (): Promise<void> => {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      heard.splice(0, heard.length, ...Array.from(text.matchAll(/^data: (\{.*\})$/gm), ([, data = '']) => parsed(data)))
    }
  }
  const stream = follow(read())
  const address = () => /data: (\/messages\S+)/.exec(text)?.[1]
  await until('it tells its address', () => address() !== undefined)
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
  const post = async (message: object, given: Headers): Promise<number> =>
    (await api.send('POST', address() ?? '', message, { ...given })).status
  await post({ jsonrpc: '2.0', id: 1, method: 'initialize', params }, headers)
  await until('it is initialized', () => heard.length > 0)
  return {
    heard,
    get endedAt() {
      return stream.endedAt
    },
    status: (other) => post(PING, other),
    async [Symbol.asyncDispose]() {
      abort.abort()
    },
  }
}

function parsed(text: string): Message {
  return JSON.parse(text) as Message
}
