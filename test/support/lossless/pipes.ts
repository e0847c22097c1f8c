import { spawn } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { bridgeStdio } from '#mcp/stdio-bridge'
import { Agent, request, type Dispatcher } from 'undici'
import { rawMember } from './raw-json.ts'

/** Moves raw messages to a server and back. */
export interface Pipe extends AsyncDisposable {
  readonly kind: 'http' | 'stdio' | 'sse'
  send(text: string, headers?: Readonly<Record<string, string>>): void
  /** Over HTTP a modern client cancels so. */
  hangUp(idText: string): void
  onMessage: (text: string) => void
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

export function stdioPipe({ command, args, env = {} }: Command): Pipe {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.stdin.on('error', () => undefined)
  const pipe: Pipe = {
    kind: 'stdio',
    onMessage: () => undefined,
    send: (text) => void child.stdin.write(`${text.replaceAll(/[\r\n]+/g, ' ')}\n`),
    hangUp: () => undefined,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      const kill = setTimeout(() => child.kill('SIGKILL'), 300)
      await closed
      clearTimeout(kill)
    },
  }
  readChunks(child.stdout, '\n', (line) => {
    if (line.startsWith('{')) pipe.onMessage(line)
  })
  return pipe
}

/** The gateway as a stdio server: its bridge in this process. */
export function bridgePipe(url: string): Pipe {
  const input = new PassThrough()
  const output = new PassThrough()
  const ended = bridgeStdio({ url, input, output })
  const pipe: Pipe = {
    kind: 'stdio',
    onMessage: () => undefined,
    send: (text) => void input.write(`${text.replaceAll(/[\r\n]+/g, ' ')}\n`),
    hangUp: () => undefined,
    async [Symbol.asyncDispose]() {
      input.end()
      await ended
    },
  }
  readChunks(output, '\n', (line) => pipe.onMessage(line))
  return pipe
}

/** Streamable HTTP. With `listen` it opens the stream for what belongs to no request as soon as it has a session. */
export function httpPipe(url: string, options: { readonly listen: boolean; readonly version?: string }): Pipe {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const session: Record<string, string> = {}
  const running = new Map<string, AbortController>()
  const get = (): void => {
    request(url, { dispatcher, headers: { accept: 'text/event-stream', ...session } })
      .then((response) => readEvents(response, pipe))
      .catch(() => undefined)
  }
  const post = async (body: string, headers: Readonly<Record<string, string>>): Promise<void> => {
    const controller = new AbortController()
    const id = rawMember(body, 'method') === undefined ? undefined : rawMember(body, 'id')
    if (id !== undefined) running.set(id, controller)
    const sent = { ...HEADERS, ...session, ...headers }
    const response = await request(url, { dispatcher, method: 'POST', headers: sent, body, signal: controller.signal })
    const sessionId = response.headers['mcp-session-id']
    if (typeof sessionId === 'string' && session['mcp-session-id'] === undefined) {
      session['mcp-session-id'] = sessionId
      session['mcp-protocol-version'] = options.version ?? '2025-11-25'
      if (options.listen) queueMicrotask(get)
    }
    if (isStream(response)) await readEvents(response, pipe)
    else {
      const text = await response.body.text()
      if (text.startsWith('{')) pipe.onMessage(text)
    }
  }
  const pipe: Pipe = {
    kind: 'http',
    onMessage: () => undefined,
    send: (text, headers = {}) => void post(text, headers).catch(() => undefined),
    hangUp: (idText) => running.get(idText)?.abort(),
    async [Symbol.asyncDispose]() {
      if (session['mcp-session-id'] !== undefined) {
        const response = await request(url, { dispatcher, method: 'DELETE', headers: session }).catch(() => undefined)
        await response?.body.dump().catch(() => undefined)
      }
      await dispatcher.destroy()
    },
  }
  return pipe
}

/** HTTP+SSE of 2024-11-05: one stream down, POSTs up. */
export async function ssePipe(url: string): Promise<Pipe> {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const endpoint = Promise.withResolvers<string>()
  const pipe: Pipe = {
    kind: 'sse',
    onMessage: () => undefined,
    send(text) {
      void endpoint.promise
        .then(async (path) => {
          const to = new URL(path, url)
          const answer = await request(to, { dispatcher, method: 'POST', headers: HEADERS, body: text })
          await answer.body.dump()
        })
        .catch(() => undefined)
    },
    hangUp: () => undefined,
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
  const response = await request(url, { dispatcher, headers: { accept: 'text/event-stream' } })
  readEvents(response, pipe, endpoint.resolve).catch(() => undefined)
  await endpoint.promise
  return pipe
}

function isStream({ headers }: Dispatcher.ResponseData): boolean {
  return String(headers['content-type']).startsWith('text/event-stream')
}

async function readEvents(
  response: Dispatcher.ResponseData,
  pipe: Pipe,
  opened: (path: string) => void = () => undefined,
): Promise<void> {
  if (!isStream(response)) return response.body.dump().catch(() => undefined)
  const ended = new Promise<void>((resolve) => response.body.once('close', () => resolve()))
  response.body.on('error', () => undefined)
  readChunks(response.body, '\n\n', (event) => {
    const lines = event.split('\n')
    const data = lines.flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trimStart()] : [])).join('\n')
    if (lines.some((line) => line === 'event: endpoint')) opened(data)
    else if (data.startsWith('{')) pipe.onMessage(data)
  })
  await ended
}

/** Cuts a byte stream at a separator; long pieces are gathered, not joined again and again. */
function readChunks(stream: NodeJS.ReadableStream, separator: string, take: (piece: string) => void): void {
  stream.setEncoding('utf8')
  let parts: string[] = []
  stream.on('data', (chunk: string) => {
    const tail = parts.at(-1) ?? ''
    if (!chunk.includes('\n') && !tail.endsWith('\n')) return void parts.push(chunk)
    const pieces = [...parts, chunk].join('').replaceAll('\r\n', '\n').split(separator)
    parts = [pieces.pop() ?? '']
    for (const piece of pieces) take(piece)
  })
}
