import type { IncomingMessage } from 'node:http'

/** What a request says of itself. */
export type HttpRequest = IncomingMessage | WholeRequest

/** A request that has come to its end. Its headers belong to all requests of its connection that say the same. */
export interface WholeRequest extends Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'> {
  readonly body: Buffer
}

/** What answers it: a response of node, or one that does as much of it as this endpoint needs. */
export interface HttpResponse {
  readonly headersSent: boolean
  /** Its connection is gone. */
  readonly destroyed: boolean
  readonly writableEnded: boolean
  /** All of it is on its way. */
  readonly writableFinished: boolean
  /** Bytes that the other side has not taken yet. */
  readonly writableLength: number
  setHeader(name: string, value: string): unknown
  writeHead(status: number, headers: Readonly<Record<string, string | number>>): HttpResponse
  flushHeaders(): void
  write(chunk: string | Buffer): boolean
  end(body?: string, encoding?: BufferEncoding): unknown
  /** Until the end of this turn what is written is kept together. */
  cork(): void
  destroy(): unknown
  /** When it is finished or its connection is gone. */
  once(event: 'close', listener: () => void): unknown
}
