import { request, type IncomingHttpHeaders } from 'node:http'
import { request as tlsRequest, type RequestOptions } from 'node:https'
import { text } from 'node:stream/consumers'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One request with any headers, `Host` included, which `fetch` does not let one set. */
export function httpRequest(url: string, options: RequestOptions & { readonly body?: string } = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { body, ...rest } = options
  const send = url.startsWith('https:') ? tlsRequest : request
  const sent = send(url, { agent: false, ...rest }, (response) => {
    const { statusCode = 0, headers } = response
    text(response).then((read) => resolve({ status: statusCode, headers, text: read }), reject)
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}
