/** How a server at a URL is spoken to; `auto` tries Streamable HTTP first and HTTP+SSE last. */
export type HttpTransport = 'auto' | 'streamable-http' | 'sse' | 'websocket'

/** What clients' configuration files call them. */
const WORDS: Readonly<Record<string, HttpTransport>> = {
  http: 'streamable-http',
  'streamable-http': 'streamable-http',
  streamableHttp: 'streamable-http',
  sse: 'sse',
  websocket: 'websocket',
  ws: 'websocket',
}

/** What the URL's scheme says goes before what somebody chose; a word that nobody knows is no choice. */
export function httpTransport(url: string, chosen?: string): HttpTransport {
  if (/^wss?:/i.test(url)) return 'websocket'
  return WORDS[chosen ?? ''] ?? 'auto'
}
