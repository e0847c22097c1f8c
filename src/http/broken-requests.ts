import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '#kernel/error-codes'
import { AppError } from '#kernel/errors'
import { problemReply } from './problem.ts'

/** Bodies up to this length are read to their end even when nobody wants them: the connection can go on. */
const UNWANTED_BYTES_MAX = 65_536
const UNWANTED_MS_MAX = 1000

const REASONS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['payload_too_large', 'The extensions of a chunk are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not come to its end in time'],
}

/** Answers what never becomes a request of ours: bytes that are no HTTP, headers without end, tunnels. */
export function refuseBrokenRequests(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Answering) => {
    const running = socket._httpMessage
    if (error.code === 'ECONNRESET' || !socket.writable || running?.headersSent) socket.destroy()
    // Garbage behind a whole request: that one gets its own answer, then the connection ends.
    else if (running?.req.complete) running.shouldKeepAlive = false
    else socket.end(answerText(new AppError(...(REASONS[error.code ?? ''] ?? NO_HTTP))))
  })
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(answerText(new AppError('method_not_allowed', 'This is no proxy: it does not take CONNECT')))
  })
}

/** What Node keeps at a socket: the response that is under way on it. */
type Answering = Duplex & { readonly _httpMessage?: ServerResponse | null }

const NO_HTTP = ['invalid_request', 'This is no HTTP request'] as const

function answerText(error: AppError): string {
  const { status, body } = problemReply(error, Date.now())
  const text = JSON.stringify(body)
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
    '',
    text,
  ].join('\r\n')
}

/** A long body that was refused is not read to its end: its sender would keep us busy for nothing. */
export function cutUnwantedBody(request: IncomingMessage, response: ServerResponse): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
  if (encoding === undefined && Number(length) <= UNWANTED_BYTES_MAX) return
  response.once('finish', () => {
    if (request.complete) return
    const timer = setTimeout(() => {
      if (!request.complete) request.socket.destroy()
    }, UNWANTED_MS_MAX)
    request.once('close', () => clearTimeout(timer))
  })
}
