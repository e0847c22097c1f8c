import { connect } from 'node:net'

/** One HTTP answer, cut from the bytes by hand. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface RawExchange {
  /** Every complete answer that came, in order. */
  readonly answers: readonly RawAnswer[]
  /** Bytes that are no whole answer. */
  readonly rest: string
  /** How it ended: the gateway closed, everything that was waited for came, or nothing more came in time. */
  readonly end: 'closed' | 'answered' | 'deadline'
  readonly bytesSent: number
}

export interface RawOptions {
  /** Wait for so many answers; without it until the gateway closes. */
  readonly answers?: number
  /** Close our side after writing. */
  readonly finish?: boolean
  readonly deadlineMs?: number
  readonly method?: string
}

const DEADLINE_MS = 2000

/** Writes bytes that no HTTP library would write, and reads what comes back. A generator is written as fast as it is taken. */
export async function rawExchange(
  port: number,
  bytes: string | Buffer | Iterable<string | Buffer>,
  options: RawOptions = {},
): Promise<RawExchange> {
  const { answers: wanted = Infinity, finish = false, deadlineMs = DEADLINE_MS, method } = options
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const done = Promise.withResolvers<RawExchange['end']>()
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    received += chunk
    if (readAnswers(received, method).answers.length >= wanted) done.resolve('answered')
  })
  for (const event of ['end', 'close', 'error'] as const) socket.on(event, () => done.resolve('closed'))
  const timer = setTimeout(() => done.resolve('deadline'), deadlineMs)
  let isOver = false
  void done.promise.then(() => (isOver = true))
  try {
    const parts = typeof bytes === 'string' || Buffer.isBuffer(bytes) ? [bytes] : bytes
    for (const part of parts) {
      if (isOver) break
      const data = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
      if (!socket.write(data))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), done.promise])
    }
    if (finish) socket.end()
    const end = await done.promise
    return { ...readAnswers(received, method), end, bytesSent: socket.bytesWritten }
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** Cuts answers with a length, chunked ones and those without a body. What a stream has sent so far stays in `rest`. */
function readAnswers(text: string, method = ''): Pick<RawExchange, 'answers' | 'rest'> {
  const answers: RawAnswer[] = []
  let rest = text
  for (;;) {
    const head = rest.indexOf('\r\n\r\n')
    if (head < 0) return { answers, rest }
    const [first = '', ...lines] = rest.slice(0, head).split('\r\n')
    const headers = Object.fromEntries(lines.map((line) => [nameOf(line), line.slice(line.indexOf(':') + 1).trim()]))
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? Number.NaN)
    const body = status < 200 || method === 'HEAD' ? { text: '', end: head + 4 } : bodyAt(rest, head + 4, headers)
    if (Number.isNaN(status) || !body) return { answers, rest }
    if (status >= 200) answers.push({ status, headers, body: Buffer.from(body.text, 'latin1').toString('utf8') })
    rest = rest.slice(body.end)
  }
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase()
}

function bodyAt(text: string, start: number, headers: Readonly<Record<string, string>>) {
  if (headers['transfer-encoding'] !== 'chunked') {
    const end = start + Number(headers['content-length'] ?? 0)
    return text.length < end ? undefined : { text: text.slice(start, end), end }
  }
  let body = ''
  for (let at = start; ;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (Number.isNaN(size) || text.length < lineEnd + 2 + size + 2) return undefined
    if (size === 0) return { text: body, end: lineEnd + 4 }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}

/** The text of a request; `content-length` is counted unless given. */
export function httpText(
  method: string,
  path: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  body?: string | Buffer,
): Buffer {
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const all = {
    host: '127.0.0.1',
    ...(bytes === undefined ? {} : { 'content-length': String(bytes.length) }),
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  const head = Buffer.from([`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'), 'latin1')
  return Buffer.concat([head, bytes ?? Buffer.alloc(0)])
}
