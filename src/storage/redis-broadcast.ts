import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Broadcast } from '#kernel/broadcast'
import type { RedisLink } from './redis-link.ts'

interface BroadcastDeps {
  readonly client: Redis
  readonly link: RedisLink
}

/** Redis keeps nothing for those who are away: each time that we listen anew may be a gap. */
export function createRedisBroadcast({ client, link }: BroadcastDeps): Broadcast {
  const self = randomUUID()
  const listeners = new Map<string, ((text: string) => void)[]>()
  link.onMessage((message) => {
    const [from = '', topic = ''] = message.split(' ', 2)
    if (from === self) return
    const text = message.slice(from.length + topic.length + 2)
    for (const heard of listeners.get(topic) ?? []) heard(text)
  })
  return {
    // What is lost here was written to no channel: the gap that follows makes up for it.
    send: (topic, text) => void client.publish(link.channel, `${self} ${topic} ${text}`).catch(() => undefined),
    listen: (topic, heard) => void listeners.set(topic, [...(listeners.get(topic) ?? []), heard]),
    onGap: link.onListening,
    get isLive() {
      return link.isUp
    },
  }
}
