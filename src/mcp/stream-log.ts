import type { StreamLog } from './reply.ts'

const EVENTS_MAX = 500
const CHARS_MAX = 8 * 1024 * 1024

interface Logged {
  readonly stream: number
  readonly sequence: number
  readonly text: string
}

/** The newest events of one session's streams, so that a client that lost a stream can have the rest of it. */
export interface EventLog {
  /** A new stream of this session. */
  stream(): StreamLog & { readonly number: number }
  /** What followed the event of that id on its stream, and that stream's number; undefined for an id that is not ours. */
  after(
    eventId: string,
  ): { readonly stream: number; readonly events: readonly { id: string; text: string }[] } | undefined
}

export function createEventLog(): EventLog {
  const events: Logged[] = []
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
        start: () => idOf(number, 0),
        add(text) {
          sequence += 1
          keep({ stream: number, sequence, text })
          return idOf(number, sequence)
        },
      }
    },
    after(eventId) {
      const [stream, sequence] = eventId.split('-').map(Number)
      if (stream === undefined || sequence === undefined || !(stream < streams)) return undefined
      const missed = events.filter((event) => event.stream === stream && event.sequence > sequence)
      return { stream, events: missed.map((event) => ({ id: idOf(stream, event.sequence), text: event.text })) }
    },
  }
}

function idOf(stream: number, sequence: number): string {
  return `${stream}-${sequence}`
}
