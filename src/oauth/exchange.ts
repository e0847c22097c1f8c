import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '#kernel/errors'

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Of the address, without the query. */
  readonly path: string
}

/** The body as text. Rejects with `payload_too_large`, without reading on. */
export async function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    if (bytes > bytesMax) throw new AppError('payload_too_large', `The body is longer than ${bytesMax} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export function answerJson(
  { response }: Exchange,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

export function answerHtml(
  { response }: Exchange,
  status: number,
  page: string,
  headers: Record<string, string>,
): void {
  const length = Buffer.byteLength(page)
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'content-length': length, ...headers })
  response.end(page)
}
