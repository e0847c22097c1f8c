import type { Connection, UpstreamRecord } from '#registry/records'
import type { ChildMarks, Environment } from './child-process-tree.ts'
import type { OnReadOpts } from 'node:net'
import type { ConnectOption, HttpClient } from './http-client.ts'
import { openSse } from './sse.ts'
import { openStdio, type StdioOptions } from './stdio.ts'
import { openStreamableHttp } from './streamable-http.ts'
import type { Transport, TransportEvents, TransportLimits } from './transport.ts'
import { openWebSocket } from './websocket.ts'

export interface TransportDeps {
  /** Of the gateway: children get an allow-list of it. */
  readonly inherited: Environment
  /** As whom children run; absent for the gateway's own user. */
  readonly stdioUser?: StdioOptions['user']
  readonly marks: ChildMarks
  readonly limits: TransportLimits
  /** How connections to this upstream are made. */
  connectFor(record: Pick<UpstreamRecord, 'origin'>, read?: OnReadOpts): ConnectOption
}

/** How one connection can be opened; `http` tells apart what the URL alone does not. */
export type TransportChoice = 'stdio' | 'streamable-http' | 'sse' | 'websocket'

/** Opens one transport. Rejects with AppError `upstream_unavailable` when the server cannot be reached. */
export async function openTransport(
  choice: TransportChoice,
  target: { readonly connection: Connection; readonly client?: HttpClient; readonly connect: ConnectOption },
  deps: TransportDeps,
  events: TransportEvents,
): Promise<Transport> {
  const { connection, client } = target
  const { limits } = deps
  if (connection.kind === 'stdio') {
    return openStdio(
      { connection, limits, inherited: deps.inherited, user: deps.stdioUser, mark: deps.marks.next() },
      events,
    )
  }
  const { url, headers } = connection
  if (choice === 'websocket') return openWebSocket({ url, headers, limits, connect: target.connect }, events)
  if (!client) throw new TypeError('an HTTP connection needs its client')
  if (choice === 'sse') return openSse({ client, url, headers, limits }, events)
  return openStreamableHttp({ client, headers, limits }, events)
}
