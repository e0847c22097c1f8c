import type { Redis } from 'ioredis'
import { messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'

/** How long a start waits for the first connection. */
const START_MS_MAX = 2_000
const HEARTBEAT_MS = 500

interface LinkDeps {
  readonly client: Redis
  /** A connection that only listens. */
  readonly ear: Redis
  readonly channel: string
  readonly log: Logger
}

/** Both connections, watched. */
export interface RedisLink extends Disposable {
  readonly channel: string
  /** Whether commands are answered and the channel is listened to. */
  readonly isUp: boolean
  /** Resolves when the start need not wait any longer. */
  readonly settled: Promise<void>
  /** What comes over the channel. */
  onMessage(heard: (message: string) => void): void
  /** Each time that the channel is listened to anew. */
  onListening(listening: () => void): void
}

/** Says once each way whether Redis is there, and ends connections that hang: ioredis then makes new ones. */
export function watchRedis({ client, ear, channel, log }: LinkDeps): RedisLink {
  const settled = Promise.withResolvers<void>()
  const listening: (() => void)[] = []
  let isListening = false
  let isUp: boolean | undefined
  let reason = 'it does not answer'
  const look = (): void => {
    const was = isUp
    isUp = isListening && client.status === 'ready'
    settled.resolve()
    if (isUp === was) return
    if (isUp) log.info({}, 'redis is connected')
    else log.warn({ reason }, 'redis is away: limits, caches and news are local until it is back')
  }
  const listen = async (): Promise<void> => {
    try {
      await ear.subscribe(channel)
    } catch {
      return ear.disconnect(true)
    }
    isListening = true
    if (client.status === 'ready') look()
    for (const each of listening) each()
  }
  client.on('ready', () => isListening && look())
  ear.on('ready', () => void listen())
  ear.on('close', () => (isListening = false))
  for (const each of [client, ear]) {
    // Without a listener the first failure would end the process.
    each.on('error', (error: unknown) => (reason = messageOf(error) || reason))
    each.on('close', look)
  }
  const beat = setInterval(() => [client, ear].forEach(endIfSilent), HEARTBEAT_MS)
  const patience = setTimeout(look, START_MS_MAX)
  return {
    channel,
    settled: settled.promise,
    get isUp() {
      return isUp === true && client.status === 'ready'
    },
    onMessage: (heard) => void ear.on('message', (_channel: string, message: string) => heard(message)),
    onListening: (heard) => void listening.push(heard),
    [Symbol.dispose]() {
      clearInterval(beat)
      clearTimeout(patience)
      for (const each of [client, ear]) {
        each.off('close', look)
        each.disconnect()
      }
    },
  }
}

/** A server that is stopped or cut off keeps its connections open. */
function endIfSilent(redis: Redis): void {
  if (redis.status === 'ready') redis.ping().catch(() => redis.disconnect(true))
}
