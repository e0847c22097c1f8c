import { oneLine } from '#kernel/json-text'
import type { HttpResponse } from './http-exchange.ts'

/** What a client that does not read may leave lying here before it is cut off. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/** An open `text/event-stream` answer. */
export interface EventStream {
  /** False when the client is gone: nothing was sent. */
  send(event: { readonly data: string; readonly id?: string; readonly event?: string }): boolean
  /** An event with an id and no data: tells the client from where to resume, and after how many milliseconds. */
  prime(id: string, retryMs: number): void
  keepAlive(): void
  end(): void
  readonly isOpen: boolean
}

export function openEventStream(response: HttpResponse, headers: Readonly<Record<string, string>> = {}): EventStream {
  response.writeHead(200, { ...HEADERS, ...headers })
  response.flushHeaders()
  const write = (text: string): boolean => {
    if (response.destroyed || response.writableEnded) return false
    if (response.writableLength > UNREAD_BYTES_MAX) {
      response.destroy()
      return false
    }
    response.write(text)
    return true
  }
  return {
    send: ({ data, id, event }) =>
      write(
        `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}data: ${oneLine(data)}\n\n`,
      ),
    prime: (id, retryMs) => void write(`id: ${id}\nretry: ${retryMs}\ndata: \n\n`),
    keepAlive: () => void write(': keep-alive\n\n'),
    end: () => response.end(),
    get isOpen() {
      return !response.destroyed && !response.writableEnded
    },
  }
}
