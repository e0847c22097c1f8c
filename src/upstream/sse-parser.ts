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

export function createSseParser(eventCharsMax: number): SseParser {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let scanned = 0
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
    if (name !== '') (fields[name] ??= []).push(value)
    return undefined
  }

  return {
    push(chunk) {
      rest += decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      if (rest.length + size > eventCharsMax) throw new RangeError('event too large')
      if (!hasLineEnd(rest, scanned)) {
        scanned = rest.length
        return []
      }
      // A lone CR at the very end may be half of CRLF: it waits for the next chunk.
      const held = rest.endsWith('\r') ? '\r' : ''
      const lines = (held ? rest.slice(0, -1) : rest).split(LINE_END)
      rest = (lines.pop() ?? '') + held
      scanned = 0
      return lines.map(take).filter((event) => event !== undefined)
    },
  }
}

function hasLineEnd(text: string, from: number): boolean {
  return text.includes('\n', from) || text.includes('\r', from)
}

function eventOf(fields: Record<string, string[]>): SseEvent | undefined {
  const { data, event, id, retry } = fields
  if (!data && !event && !id && !retry) return undefined
  const retryMs = Number(retry?.at(-1))
  return {
    event: event?.at(-1) ?? 'message',
    ...(data ? { data: data.join('\n') } : {}),
    ...(id ? { id: id.at(-1) ?? '' } : {}),
    ...(retry && Number.isInteger(retryMs) && retryMs >= 0 ? { retry: retryMs } : {}),
  }
}
