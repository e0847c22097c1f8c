import { Redis } from 'ioredis'
import type { Broadcast } from '#kernel/broadcast'
import type { Logger } from '#kernel/logger'
import { createRedisBroadcast } from './redis-broadcast.ts'
import { watchRedis } from './redis-link.ts'

const CONNECT_MS_MAX = 2_000
/** How long anybody waits for an answer before going on without Redis. */
const COMMAND_MS_MAX = 1_000
const RETRY_MS_FIRST = 50
const RETRY_MS_MAX = 1_000

/** The state that gateways share, while it is there. */
export interface SharedRedis extends AsyncDisposable {
  /** For the adapters of this room. Its commands fail at once while Redis is away. */
  readonly client: Redis
  /** Begins every key and channel: deployments on one server have databases of their own, and so keys of their own. */
  readonly prefix: string
  readonly broadcast: Broadcast
  /** Whether it answers and tells news. */
  readonly isUp: boolean
}

/** Connects, if need be in the background for as long as it takes. Never rejects: without Redis a gateway goes on for itself. */
export async function openRedis(url: string, log: Logger): Promise<SharedRedis> {
  const client = connection(url)
  const ear = connection(url)
  const prefix = `metamcp:${client.options.db ?? 0}:`
  const link = watchRedis({ client, ear, channel: `${prefix}news`, log })
  await link.settled
  return {
    client,
    prefix,
    broadcast: createRedisBroadcast({ client, link }),
    get isUp() {
      return link.isUp
    },
    async [Symbol.asyncDispose]() {
      link[Symbol.dispose]()
    },
  }
}

function connection(url: string): Redis {
  return new Redis(url, {
    connectTimeout: CONNECT_MS_MAX,
    commandTimeout: COMMAND_MS_MAX,
    retryStrategy: (times) => Math.min(RETRY_MS_FIRST * 2 ** times, RETRY_MS_MAX),
    // What cannot be asked now is decided without Redis, and nothing is done twice after a reconnect.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
  })
}
