import type { Dispatcher } from 'undici'
import { AppError } from '#kernel/errors'
import { HttpExchange } from './http-exchange.ts'

export interface HttpQuestion {
  readonly url: URL
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly bytesMax: number
  readonly signal: AbortSignal
}

export interface HttpReply {
  readonly status: number
  readonly sessionId?: string
  /** The body, or the first event with data of a stream. */
  readonly text: string
}

/** One HTTP request and its answer; redirects are not followed. Rejects with AppError. */
export function askHttp(dispatcher: Dispatcher, question: HttpQuestion): Promise<HttpReply> {
  const { url, method, headers, body = null, bytesMax, signal } = question
  const { promise, resolve, reject } = Promise.withResolvers<HttpReply>()
  let reply: Omit<HttpReply, 'text'> = { status: 0 }
  const exchange = new HttpExchange(
    {
      start(status, { 'mcp-session-id': sessionId }) {
        reply = typeof sessionId === 'string' ? { status, sessionId } : { status }
      },
      body: (_status, text) => resolve({ ...reply, text }),
      event({ data }) {
        if (!data) return
        resolve({ ...reply, text: data })
        exchange.abort()
      },
      end: () => resolve({ ...reply, text: '' }),
      fail: reject,
    },
    bytesMax,
  )
  const abort = (): void => {
    exchange.abort()
    reject(new AppError('timeout', `${url.host} did not answer in time`))
  }
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  else
    dispatcher.dispatch({ origin: url.origin, path: `${url.pathname}${url.search}`, method, headers, body }, exchange)
  return promise.finally(() => signal.removeEventListener('abort', abort))
}
