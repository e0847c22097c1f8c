import { StringDecoder } from 'node:string_decoder'

/** One server-sent event; `data` is undefined for events that carry none. */
export interface SseEvent {
  readonly event: string
  readonly data?: string
  readonly id?: string
  /** Milliseconds to wait before reconnecting. */
  readonly retry?: number
}

/** An incremental reader of `text/event-stream` (HTML standard, §9.2.6). */
export interface SseParser {
  /** Throws RangeError when one event grows beyond the limit. */
  push(chunk: Uint8Array): SseEvent[]
}

const LINE_END = /\r\n|\n|\r/
const FIELDS = ['data', 'event', 'id', 'retry']

export function createSseParser(eventCharsMax: number): SseParser {
  const decoder = new StringDecoder('utf8')
  // Parts of a line are joined once, at its end: joined with each chunk, a long event would cost its square.
  let parts: string[] = []
  let length = 0
  let isBegun = false
  let hasHeldReturn = false
  let fields: Record<string, string[]> = {}
  let size = 0

  const take = (line: string): SseEvent | undefined => {
    if (line === '') {
      const event = eventOf(fields)
      fields = {}
      size = 0
      return event
    }
    size += line.length
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (FIELDS.includes(name)) (fields[name] ??= []).push(value)
    return undefined
  }

  return {
    push(chunk) {
      const text = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      const fresh = !isBegun && text.startsWith('\ufeff') ? text.slice(1) : text
      isBegun ||= text !== ''
      parts.push(fresh)
      length += fresh.length
      if (length + size > eventCharsMax) throw new RangeError('event too large')
      if (!hasHeldReturn && !hasLineEnd(fresh)) return []
      const rest = parts.join('')
      // A lone CR at the very end may be half of CRLF: it waits for the next chunk.
      const held = rest.endsWith('\r') ? '\r' : ''
      const lines = (held ? rest.slice(0, -1) : rest).split(LINE_END)
      const tail = (lines.pop() ?? '') + held
      parts = [tail]
      length = tail.length
      hasHeldReturn = held !== ''
      return lines.map(take).filter((event) => event !== undefined)
    },
  }
}

function hasLineEnd(text: string): boolean {
  return text.includes('\n') || text.includes('\r')
}

function eventOf(fields: Record<string, string[]>): SseEvent | undefined {
  const { data, event, id, retry } = fields
  if (!data && !event && !id && !retry) return undefined
  const retryText = retry?.at(-1) ?? ''
  return {
    event: event?.at(-1) ?? 'message',
    ...(data ? { data: data.join('\n') } : {}),
    ...(id ? { id: id.at(-1) ?? '' } : {}),
    ...(/^\d+$/.test(retryText) ? { retry: Number(retryText) } : {}),
  }
}
