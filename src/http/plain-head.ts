import type { IncomingHttpHeaders } from 'node:http'

/** The head of a request of the plainest form. */
export interface PlainHead {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Bytes of the body. */
  readonly length: number
}

/** More is not read here. */
export const BODY_BYTES_MAX = 65_536
/** Half of what node reads. */
const HEAD_CHARS_MAX = 8192

const REQUEST_LINE = /^POST (\/[!-~]*) HTTP\/1\.1\r\n/
/** RFC 9110, §5.5, without what is not ASCII. Spaces before a value are not tried again: a long row of them costs once. */
const FIELD_LINE = /([!#$%&'*+.^`|~\w-]+):[\t ]*(?![\t ])((?:[!-~](?:[\t -~]*[!-~])?)?)[\t ]*\r\n/y
/** What says anything about how the message is framed or sent on, or when to answer; and what node makes a list of. */
const NOT_PLAIN = new Set([
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-connection',
  'keep-alive',
  'set-cookie',
])

/**
 * Reads a POST with a length, each header once, and nothing that could be read in two ways: all that node's parser would read in
 * just this way. Undefined for anything else, broken or not. `text` ends with the line break of its last line.
 */
export function readPlainHead(text: string): PlainHead | undefined {
  const url = text.length > HEAD_CHARS_MAX ? undefined : REQUEST_LINE.exec(text)?.[1]
  if (url === undefined) return undefined
  const headers = fieldsOf(text, text.indexOf('\n') + 1)
  if (headers?.host === undefined) return undefined
  const { connection = 'keep-alive', 'content-length': length = '' } = headers
  const isPlain = connection.toLowerCase() === 'keep-alive' && /^\d{1,5}$/.test(length)
  return isPlain && Number(length) <= BODY_BYTES_MAX ? { url, headers, length: Number(length) } : undefined
}

function fieldsOf(text: string, start: number): IncomingHttpHeaders | undefined {
  const headers: IncomingHttpHeaders = {}
  for (let at = start; at < text.length; at = FIELD_LINE.lastIndex) {
    FIELD_LINE.lastIndex = at
    const [, written, value] = FIELD_LINE.exec(text) ?? []
    const name = written?.toLowerCase()
    if (name === undefined || name in headers || NOT_PLAIN.has(name)) return undefined
    headers[name] = value
  }
  return headers
}
