import type { StreamLog } from './reply.ts'

const EVENTS_MAX = 500
const CHARS_MAX = 8 * 1024 * 1024

interface Logged {
  readonly stream: number
  readonly sequence: number
  readonly text: string
}

export interface StreamEvent {
  readonly id: string
  readonly text: string
}

/** Where a stream goes on after its first connection was lost. */
interface Follower {
  send(event: StreamEvent): void
  end(): void
}

/** What a client that lost a stream has missed of it. */
interface Missed {
  readonly stream: number
  readonly events: readonly StreamEvent[]
  /** Takes what is still to come on that stream; ends at once when nothing is. */
  follow(follower: Follower): void
}

/** The newest events of one session's streams, so that a client that lost a stream can have the rest of it. */
export interface EventLog {
  /** A new stream of this session. */
  stream(): StreamLog & { readonly number: number }
  /** What followed the event of that id on its stream; undefined for an id that is not ours. */
  after(eventId: string): Missed | undefined
}

export function createEventLog(): EventLog {
  const events: Logged[] = []
  /** The streams that have begun and not ended. */
  const open = new Map<number, Follower | undefined>()
  let streams = 0
  let chars = 0
  const keep = (logged: Logged): void => {
    events.push(logged)
    chars += logged.text.length
    while (events.length > EVENTS_MAX || chars > CHARS_MAX) chars -= events.shift()?.text.length ?? 0
  }
  return {
    stream() {
      const number = streams
      streams += 1
      let sequence = 0
      return {
        number,
        start(behind = 0) {
          if (!open.has(number)) open.set(number, undefined)
          return idOf(number, sequence - behind)
        },
        add(text) {
          if (!open.has(number)) open.set(number, undefined)
          sequence += 1
          keep({ stream: number, sequence, text })
          const id = idOf(number, sequence)
          open.get(number)?.send({ id, text })
          return id
        },
        end() {
          const follower = open.get(number)
          open.delete(number)
          follower?.end()
        },
      }
    },
    after(eventId) {
      if (!/^\d+-\d+$/.test(eventId)) return undefined
      const [stream = streams, sequence = 0] = eventId.split('-').map(Number)
      if (stream >= streams) return undefined
      const missed = events.filter((event) => event.stream === stream && event.sequence > sequence)
      return {
        stream,
        events: missed.map((event) => ({ id: idOf(stream, event.sequence), text: event.text })),
        follow(follower) {
          if (!open.has(stream)) return follower.end()
          open.get(stream)?.end()
          open.set(stream, follower)
        },
      }
    },
  }
}

function idOf(stream: number, sequence: number): string {
  return `${stream}-${sequence}`
}
