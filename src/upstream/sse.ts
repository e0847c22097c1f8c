import { AppError } from '#kernel/errors'
import type { HttpClient } from './http-client.ts'
import { HttpExchange } from './http-exchange.ts'
import type { SseEvent } from './sse-parser.ts'
import { retryAfterOf, waitDetails, waitWords } from './retry-after.ts'
import type { Outgoing, Transport, TransportEvents, TransportLimits } from './transport.ts'

export interface SseOptions {
  readonly client: HttpClient
  /** The URL of the stream: the address that the server names for messages is relative to it and stays at its origin. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly limits: TransportLimits
}

/** HTTP+SSE of 2024-11-05: one GET stream brings everything, its first event names the address for POSTs. */
export async function openSse(options: SseOptions, events: TransportEvents): Promise<Transport> {
  const { client, headers, limits } = options
  const endpoint = Promise.withResolvers<string>()
  const end = (error: AppError): void => {
    endpoint.reject(error)
    events.closed(error)
  }
  const stream = new HttpExchange(
    {
      body: (status) =>
        end(
          new AppError('upstream_unavailable', `The server has no event stream here (HTTP ${status})`, {
            details: { status },
          }),
        ),
      event: (event) => takeEvent(event, endpoint.resolve, events),
      end: () => end(new AppError('upstream_unavailable', 'The server closed its event stream')),
      fail: end,
    },
    limits.messageBytesMax,
  )
  client.streams.dispatch(
    { path: client.path, method: 'GET', headers: { ...headers, accept: 'text/event-stream' } },
    stream,
  )
  const patience = setTimeout(() => {
    stream.abort()
    end(new AppError('upstream_unavailable', 'The server did not name its message address in time'))
  }, limits.connectTimeoutMs)
  try {
    const path = messagePath(options.url, await endpoint.promise)
    return sseTransport({ client, headers, path, stream }, events)
  } catch (error) {
    stream.abort()
    throw error
  } finally {
    clearTimeout(patience)
  }
}

function takeEvent(event: SseEvent, named: (address: string) => void, events: TransportEvents): void {
  if (event.event === 'endpoint' && event.data !== undefined) named(event.data)
  else if (event.event === 'message' && event.data) events.message(event.data)
}

/** A server that sends our messages to another origin would get our headers there: refused. */
function messagePath(url: string, address: string): string {
  const target = new URL(address, url)
  if (target.origin !== new URL(url).origin) {
    throw new AppError('upstream_protocol_error', 'The server names a message address at another origin')
  }
  return `${target.pathname}${target.search}`
}

function refused(status: number, retryAfter: number | undefined): AppError {
  const message = `The server answered HTTP ${status}${waitWords(retryAfter)}`
  return new AppError('upstream_unavailable', message, { details: { status, ...waitDetails(retryAfter) } })
}

interface SseParts {
  readonly client: HttpClient
  readonly headers: Readonly<Record<string, string>>
  readonly path: string
  readonly stream: HttpExchange
}

function sseTransport({ client, headers, path, stream }: SseParts, events: TransportEvents): Transport {
  const post = (message: Outgoing): void => {
    const lost = (error: AppError): void => {
      if (message.requestId === undefined) events.log('gateway', `a message was lost: ${error.message}`)
      else events.failed(message.requestId, error)
    }
    let retryAfter: number | undefined
    const answer = new HttpExchange(
      {
        start: (status, answered) => {
          retryAfter = retryAfterOf(status, answered, Date.now())
        },
        body(status) {
          if (status >= 400) lost(refused(status, retryAfter))
        },
        event() {},
        end: () => message.delivered?.(),
        fail: (error) => {
          lost(error)
          message.delivered?.()
        },
      },
      65_536,
    )
    const requestHeaders = { ...headers, 'content-type': 'application/json' }
    client.calls.dispatch({ path, method: 'POST', headers: requestHeaders, body: message.text }, answer)
  }
  return {
    kind: 'sse',
    hasCallStreams: false,
    send: post,
    abandon() {},
    answered() {},
    async close() {
      stream.abort()
    },
  }
}
