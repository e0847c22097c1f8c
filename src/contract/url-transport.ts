type UrlTransport = 'auto' | 'streamable-http' | 'sse' | 'websocket'

/** How a server at `url` is reached: what the URL's scheme says goes before what somebody chose. */
export function urlTransport(url: string, chosen: UrlTransport = 'auto'): UrlTransport {
  return /^wss?:/i.test(url) ? 'websocket' : chosen
}
