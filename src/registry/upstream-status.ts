import type { Era } from './records.ts'

export type UpstreamState = 'connecting' | 'online' | 'degraded' | 'offline' | 'disabled'

/** How an upstream is doing now, in words an operator can act on. */
export interface UpstreamStatus {
  readonly state: UpstreamState
  /** A plain sentence: why it is in this state. */
  readonly reason: string
  readonly lastError?: string
  /** Epoch milliseconds of the next attempt, while one is due. */
  readonly nextRetryAt?: number
  readonly transport?: string
  readonly era?: Era
  readonly protocolVersion?: string
  /** Epoch milliseconds since when it is online. */
  readonly connectedAt?: number
  readonly sessions: number
  /** Process ids of the stdio children. */
  readonly pids: readonly number[]
}

/** What one upstream printed or the gateway noted about it, newest last. */
export interface UpstreamLogLine {
  /** Epoch milliseconds. */
  readonly at: number
  readonly source: 'stderr' | 'stdout' | 'server' | 'gateway'
  readonly text: string
}

/** The live side of upstreams, as other rooms may see and steer it. */
export interface UpstreamControl {
  status(upstreamId: string): UpstreamStatus
  logs(upstreamId: string): readonly UpstreamLogLine[]
  /** Ends the sessions and connects anew; resolves when the attempt has ended either way. */
  restart(upstreamId: string): Promise<void>
}
