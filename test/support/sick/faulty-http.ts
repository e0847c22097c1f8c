import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What happens to a call; everything else it does as it should. */
export type HttpFault =
  | 'black-hole'
  | 'slowly'
  | 'late-first-byte'
  | 'drip'
  | 'reset'
  | 'cut-json'
  | 'html'
  | 'wrong-id'
  | 'twice'
  | 'early'
  | 'huge'
  | 'endless'
  | 'list-changed-storm'
  | 500
  | 429
  | 401

/** How clients speak with it: MCP by Streamable HTTP, by HTTP+SSE, or a plain API. */
export type HttpKind = 'streamable-http' | 'sse' | 'http-tool'

export interface FaultyServer extends AsyncDisposable {
  /** Of the endpoint; the port stays the same over `down` and `up`. */
  readonly url: string
  /** Calls that came so far. */
  readonly calls: number
  /** Questions for its list so far. */
  readonly lists: number
  be(fault: HttpFault | undefined): void
  /** Nothing listens any more, and every connection is cut. */
  down(): Promise<void>
  up(): Promise<void>
}

const HUGE = 'x'.repeat(2 * 1024 * 1024)
const DRIP_MS = 20
const SLOW_MS = 100
const LATE_MS = 60_000
const STORM = 1000

interface Rpc {
  readonly id?: unknown
  readonly method?: string
}

/** Where the answer to one message goes: the response itself, or the stream beside it. */
interface Outlet {
  readonly kind: HttpKind
  readonly id: unknown
  readonly response: ServerResponse
  /** The one stream of HTTP+SSE. */
  readonly stream: ServerResponse
}

/** With a key and a certificate it speaks TLS. */
export async function startFaulty(
  kind: HttpKind,
  tls?: { readonly key: string; readonly cert: string },
): Promise<FaultyServer> {
  const state = { fault: undefined as HttpFault | undefined, calls: 0, lists: 0, streams: new Set<ServerResponse>() }
  const timers = new Set<NodeJS.Timeout>()
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response)
  const make = () => (tls ? createTlsServer(tls, listener) : createServer(listener))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => response.destroy())
    const body = await text(request).catch(() => '')
    if (request.method === 'GET') return open(response)
    if (request.method === 'DELETE') return void response.writeHead(200).end()
    const { id, method } = (kind === 'http-tool' ? { id: 1, method: 'tools/call' } : JSON.parse(body)) as Rpc
    const [stream = response] = kind === 'sse' ? [...state.streams].toReversed() : []
    const outlet: Outlet = { kind, id, response, stream }
    if (method === 'tools/list') state.lists += 1
    if (method !== 'tools/call') return answer(outlet, method)
    state.calls += 1
    if (state.fault === undefined) say(outlet, resultOf(outlet))
    else misbehave(outlet, state.fault, timers)
  }

  function open(response: ServerResponse): void {
    if (kind === 'http-tool') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(kind === 'sse' ? 'event: endpoint\ndata: /messages\n\n' : ': hello\n\n')
    state.streams.add(response)
    response.once('close', () => state.streams.delete(response))
  }

  let server = make()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const down = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer)
    timers.clear()
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/${kind === 'sse' ? 'sse' : 'mcp'}`,
    get calls() {
      return state.calls
    },
    get lists() {
      return state.lists
    },
    be(fault) {
      state.fault = fault
    },
    down,
    async up() {
      server = make()
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
    [Symbol.asyncDispose]: down,
  }
}

function answer(outlet: Outlet, method: string | undefined): void {
  if (outlet.id === undefined) return void outlet.response.writeHead(202).end()
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true } }
    return say(outlet, { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'faulty', version: '1' } })
  }
  if (method === 'tools/list') return say(outlet, { tools: [{ name: 'work', inputSchema: { type: 'object' } }] })
  write(outlet, JSON.stringify({ jsonrpc: '2.0', id: outlet.id, error: { code: -32601, message: 'Method not found' } }))
}

function resultOf({ kind }: Outlet): object {
  return kind === 'http-tool' ? { worked: true } : { content: [{ type: 'text', text: 'worked' }] }
}

function say(outlet: Outlet, result: object): void {
  write(outlet, outlet.kind === 'http-tool' ? JSON.stringify(result) : rpc(outlet.id, result))
}

function rpc(id: unknown, result: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

/** A whole message. */
function write({ kind, response, stream }: Outlet, message: string, type = 'application/json'): void {
  if (kind !== 'sse') return void response.writeHead(200, { 'content-type': type }).end(message)
  response.writeHead(202).end()
  stream.write(`event: message\ndata: ${message}\n\n`)
}

/** The beginning of a message that has no end. */
function begin(outlet: Outlet, part: string): ServerResponse {
  const { kind, response, stream } = outlet
  if (kind === 'sse') {
    response.writeHead(202).end()
    stream.write(`event: message\ndata: ${part}`)
    return stream
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' })
  response.write(part)
  return response
}

function misbehave(outlet: Outlet, fault: HttpFault, timers: Set<NodeJS.Timeout>): void {
  const { id, response, stream, kind } = outlet
  const result = resultOf(outlet)
  const whole = kind === 'http-tool' ? JSON.stringify(result) : rpc(id, result)
  const note = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'
  switch (fault) {
    case 'black-hole':
      if (kind === 'sse') response.writeHead(202).end()
      return
    case 'slowly':
      return later(timers, SLOW_MS, () => say(outlet, result))
    case 'late-first-byte':
      return later(timers, LATE_MS, () => say(outlet, result))
    case 'drip': {
      const target = begin(outlet, '{')
      return repeat(timers, target, DRIP_MS, () => target.write(' '))
    }
    case 'reset':
      begin(outlet, whole.slice(0, 10))
      return void setImmediate(() => (kind === 'sse' ? stream : response).destroy())
    case 'cut-json':
      return write(outlet, whole.slice(0, -3))
    case 'html':
      return write(outlet, '<html><body>Please log in</body></html>', 'text/html')
    case 'wrong-id':
      return write(outlet, rpc(987_654, result))
    case 'twice':
      if (kind === 'sse') stream.write(`event: message\ndata: ${whole}\n\n`)
      return kind === 'streamable-http' ? events(response, [whole, whole]) : write(outlet, whole)
    case 'early':
      if (kind === 'sse') stream.write(`event: message\ndata: ${rpc(Number(id) + 1, result)}\n\n`)
      return kind === 'streamable-http' ? events(response, [rpc(Number(id) + 1, result), whole]) : write(outlet, whole)
    case 'huge':
      return write(
        outlet,
        kind === 'http-tool' ? JSON.stringify(HUGE) : rpc(id, { content: [{ type: 'text', text: HUGE }] }),
      )
    case 'endless':
      return endless(outlet, timers)
    case 'list-changed-storm': {
      const many = Array.from({ length: STORM }, () => note)
      if (kind === 'streamable-http') return events(response, [...many, whole])
      for (const each of many) stream.write(`event: message\ndata: ${each}\n\n`)
      return write(outlet, whole)
    }
    case 500:
    case 429:
    case 401:
      return void response.writeHead(fault, { 'retry-after': '1', 'content-type': 'text/plain' }).end('no')
  }
}

function events(response: ServerResponse, messages: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(messages.map((message) => `event: message\ndata: ${message}\n\n`).join(''))
}

/** Messages that are no answer, without end. */
function endless({ kind, response, stream }: Outlet, timers: Set<NodeJS.Timeout>): void {
  const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"still here"}}'
  const target = kind === 'sse' ? stream : response
  if (kind === 'sse') response.writeHead(202).end()
  else response.writeHead(200, { 'content-type': kind === 'http-tool' ? 'application/json' : 'text/event-stream' })
  repeat(timers, target, DRIP_MS, () => target.write(kind === 'http-tool' ? 'x' : `event: message\ndata: ${note}\n\n`))
}

function later(timers: Set<NodeJS.Timeout>, ms: number, act: () => void): void {
  timers.add(setTimeout(act, ms))
}

function repeat(timers: Set<NodeJS.Timeout>, until: ServerResponse, ms: number, act: () => void): void {
  const timer = setInterval(act, ms)
  timers.add(timer)
  until.once('close', () => {
    clearInterval(timer)
    timers.delete(timer)
  })
}
