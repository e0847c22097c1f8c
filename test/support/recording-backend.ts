import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What one request brought, to the letter. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How the backend answers: JSON text with 200, or by hand. */
export type BackendAnswer = string | ((response: ServerResponse, seen: Seen) => void)

/** A plain HTTP API on loopback that notes each request it gets. */
export interface RecordingBackend extends AsyncDisposable {
  readonly url: string
  readonly seen: readonly Seen[]
  /** How requests to this path are answered from now on; other paths are 404. */
  on(path: string, answer: BackendAnswer): void
}

export async function startBackend(): Promise<RecordingBackend> {
  const seen: Seen[] = []
  const answers = new Map<string, BackendAnswer>()
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const [path = '', query = ''] = (request.url ?? '').split('?')
      const one = { method: request.method ?? '', path, query, headers: request.headers, body }
      seen.push(one)
      const answer = answers.get(path)
      if (typeof answer === 'function') answer(response, one)
      else response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(answer)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    on: (path, answer) => void answers.set(path, answer),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

/** Numbers its answers: who gets a number twice got a kept answer. */
export function counting(backend: RecordingBackend): (response: ServerResponse) => void {
  return (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"n":${backend.seen.length}}`)
}

/** An address of this machine at which nothing listens: no port that somebody else may be given meanwhile. */
export const DEAD_URL = 'http://127.0.0.1:2'
