import { Agent, request, type Dispatcher } from 'undici'

export type Json = Record<string, unknown>
/** One JSON-RPC message as it came. */
export interface Message {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Json
  readonly result?: Json
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** What an HTTP exchange brought: its messages in order, the event ids beside them. */
export interface Exchange {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly messages: readonly Message[]
  readonly eventIds: readonly string[]
  readonly text: string
}

export interface PostOptions {
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  /** Told of each message as it comes, bookmarks without one included. */
  onEvent?(message: Message | undefined, eventId: string | undefined): void
}

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** Connections of its own: closing them ends everything that a test has left open. */
export function rawHttp() {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const send = async (
    url: string,
    method: 'POST' | 'GET' | 'DELETE',
    body: string | undefined,
    { headers = {}, signal, onEvent }: PostOptions = {},
  ): Promise<Exchange> => {
    const response = await request(url, {
      method,
      headers: { ...(body === undefined ? { accept: 'text/event-stream' } : JSON_HEADERS), ...headers },
      dispatcher,
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    })
    return read(response, onEvent)
  }
  return { send, [Symbol.asyncDispose]: () => dispatcher.destroy() }
}

export type RawHttp = ReturnType<typeof rawHttp>

async function read(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  onEvent: PostOptions['onEvent'],
): Promise<Exchange> {
  const messages: Message[] = []
  const eventIds: string[] = []
  let text = ''
  if (!String(headers['content-type']).startsWith('text/event-stream')) {
    text = await body.text()
    const isJson = String(headers['content-type']).startsWith('application/json') && text !== ''
    if (isJson) messages.push(...([JSON.parse(text)].flat() as Message[]))
    for (const message of messages) onEvent?.(message, undefined)
    return { status: statusCode, headers, messages, eventIds, text }
  }
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    text += decoder.decode(chunk as Buffer, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const { id, data } = fields(text.slice(0, end))
      text = text.slice(end + 2)
      if (id !== undefined) eventIds.push(id)
      const message = data === undefined || data === '' ? undefined : (JSON.parse(data) as Message)
      if (message) messages.push(message)
      if (message ?? id) onEvent?.(message, id)
    }
  }
  return { status: statusCode, headers, messages, eventIds, text: '' }
}

function fields(event: string): { id?: string; data?: string } {
  const entries = event.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
  return Object.fromEntries(entries) as { id?: string; data?: string }
}
