import type { AppError } from '#kernel/errors'
import type { UpstreamLogLine } from '#registry/upstream-status'

/** One message to an upstream. */
export interface Outgoing {
  readonly text: string
  readonly method?: string
  /** Our id of a request; absent for notifications and answers. */
  readonly requestId?: number
  /** HTTP headers that mirror the body (2026-07-28). */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Called when what is sent next cannot overtake this message any more. */
  delivered?(): void
}

/** What a transport reports to its session. */
export interface TransportEvents {
  /** A message came; `requestId` says on which request's own stream, where the transport can tell. */
  message(text: string, requestId?: number): void
  /** This request will not be answered any more. */
  failed(requestId: number, error: AppError): void
  /** Nothing will come any more. */
  closed(error: AppError): void
  log(source: UpstreamLogLine['source'], text: string): void
}

type TransportKind = 'stdio' | 'streamable-http' | 'sse' | 'websocket'

/** A pipe to one upstream session. It moves text and knows nothing of what the text means. */
export interface Transport {
  readonly kind: TransportKind
  /** Whether messages that belong to a call come on that call's own stream. */
  readonly hasCallStreams: boolean
  readonly pid?: number
  /** Hands a message over; a failure comes as `failed` or `closed`. */
  send(message: Outgoing): void
  /** The answer to this request is not wanted any more: its stream may be closed. */
  abandon(requestId: number): void
  /** This request has its answer; its stream ends by itself. */
  answered(requestId: number): void
  /** Tells the transport what the handshake agreed on; opens the stream for messages outside of calls where there is one. */
  opened?(protocolVersion: string, options: { readonly listen: boolean }): void
  close(): Promise<void>
}

export interface TransportLimits {
  /** Of one message. */
  readonly messageBytesMax: number
  readonly connectTimeoutMs: number
  /** From the connection to the end of the handshake. */
  readonly handshakeTimeoutMs: number
}
