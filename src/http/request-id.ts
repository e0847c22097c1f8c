import type { IncomingMessage } from 'node:http'

/** A caller's own id, when it is at most 128 visible ASCII characters; else a new one. */
export function createRequestId(newId: () => string): (request: IncomingMessage) => string {
  return function requestId(request) {
    const given = request.headers['x-request-id']
    return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : newId()
  }
}
