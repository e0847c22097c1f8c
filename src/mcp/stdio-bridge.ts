import type { Readable, Writable } from 'node:stream'
import { request, type Dispatcher } from 'undici'
import { messageOf } from '#kernel/errors'
import { isJsonObject, objectAt, stringAt, type JsonObject, type JsonValue } from '#kernel/json'
import { oneLine } from '#kernel/json-text'
import { encodeHeaderValue } from '#kernel/param-headers'
import { META } from '#kernel/protocol'
import { errorText, notificationText } from '#kernel/rpc-message'
import { FROM_PIPE } from './modern-claim.ts'

export interface BridgeOptions {
  /** The endpoint: `http://127.0.0.1:8000/mcp`. */
  readonly url: string
  /** A Bearer credential, where the endpoint wants one; asked again, for another one, with what was refused. */
  readonly credential?: ((refused?: string) => Promise<string | undefined>) | undefined
  readonly input: Readable
  readonly output: Writable
}

/**
 * The endpoint for clients that only speak stdio: each line goes there as a POST, what comes back goes out as lines.
 * Resolves when the input has ended and everything that was asked is answered.
 */
export async function bridgeStdio({ url, credential, input, output }: BridgeOptions): Promise<void> {
  const bridge = new Bridge(url, output, credential ?? (() => Promise.resolve(undefined)))
  for await (const line of linesOf(input)) if (line.trim() !== '') bridge.send(line)
  await bridge.end()
}

/** Cut at line feeds alone: `node:readline` cuts at U+2028 and U+2029 too, which JSON strings may hold. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  input.setEncoding('utf8')
  let parts: string[] = []
  for await (const chunk of input as AsyncIterable<string>) {
    const [first = '', ...others] = chunk.split('\n')
    parts.push(first)
    for (const next of others) {
      yield parts.join('').replace(/\r$/, '')
      parts = [next]
    }
  }
  yield parts.join('')
}

class Bridge {
  readonly #url: string
  readonly #credential: NonNullable<BridgeOptions['credential']>
  /** Found once: it holds until it is refused. */
  #shown: Promise<string | undefined> | undefined
  readonly #output: Writable
  readonly #running = new Map<string, AbortController>()
  readonly #work = new Set<Promise<void>>()
  readonly #stopped = new AbortController()
  /** Until the session is there, what follows `initialize` waits for it. */
  #opening: Promise<void> = Promise.resolve()
  #session: Record<string, string> = {}
  /** To say again when the gateway was restarted and knows our session no more. */
  #hello: string | undefined
  #reopening: Promise<void> | undefined

  constructor(url: string, output: Writable, credential: NonNullable<BridgeOptions['credential']>) {
    this.#url = url
    this.#credential = credential
    this.#output = output
  }

  send(line: string): void {
    const message = parsed(line)
    const method = stringAt(message, 'method')
    if (this.#isCancelOfModern(message)) return this.#abort(message)
    const work = this.#opening
      .then(() => this.#post(line, message))
      .catch((error: unknown) => this.#fail(message, error))
    if (method === 'initialize') this.#opening = work
    this.#work.add(work)
    void work.finally(() => this.#work.delete(work))
  }

  async end(): Promise<void> {
    // Streams of news never end by themselves; answers do.
    const listening = [...this.#running.values()].filter((controller) => LISTENS.has(controller))
    for (const controller of listening) controller.abort()
    await Promise.all(this.#work)
    this.#stopped.abort()
    if (this.#session['mcp-session-id'] === undefined) return
    const response = await this.#request({ method: 'DELETE', headers: this.#session }).catch(() => undefined)
    await response?.body.dump()
  }

  /** On a pipe a modern client cancels by notification; over HTTP the closed stream is the cancel. */
  #isCancelOfModern(message: JsonObject): boolean {
    const id = objectAt(message, 'params')?.['requestId']
    return message['method'] === 'notifications/cancelled' && this.#running.has(JSON.stringify(id))
  }

  #abort(message: JsonObject): void {
    this.#running.get(JSON.stringify(objectAt(message, 'params')?.['requestId']))?.abort()
  }

  async #post(line: string, message: JsonObject, isAgain = false): Promise<void> {
    const claim = stringAt(objectAt(objectAt(message, 'params'), '_meta'), META.protocolVersion)
    const controller = new AbortController()
    const key = JSON.stringify(message['id'])
    if (claim !== undefined && message['id'] !== undefined) this.#running.set(key, controller)
    if (message['method'] === 'subscriptions/listen') LISTENS.add(controller)
    try {
      const headers: Record<string, string> = {
        ...HEADERS,
        ...(claim === undefined ? this.#session : modernHeaders(message, claim)),
      }
      const { signal } = controller
      const response = await this.#request({ method: 'POST', headers, body: line, signal, ...NO_TIMEOUT })
      if (message['method'] === 'initialize') {
        this.#hello = line
        this.#opened(response)
      } else if (response.statusCode === 404 && !isAgain && sessionOf(headers) !== undefined && this.#hello) {
        await response.body.dump()
        // Another message may have noticed it before.
        const isGone = sessionOf(headers) === sessionOf(this.#session)
        if (isGone) this.#reopening ??= this.#reopen(this.#hello)
        await this.#reopening
        return await this.#post(line, message, true)
      }
      await this.#relay(response)
    } catch (error) {
      if (!controller.signal.aborted) throw error
    } finally {
      this.#running.delete(key)
    }
  }

  /** A session of a client that does not know of sessions: it is opened again behind its back, and the lists may be others. */
  async #reopen(hello: string): Promise<void> {
    const post = (body: string) =>
      this.#request({ method: 'POST', headers: { ...HEADERS, ...this.#session }, body, ...NO_TIMEOUT })
    try {
      this.#session = {}
      const response = await post(hello)
      await response.body.dump()
      this.#opened(response)
      const { body } = await post(notificationText('notifications/initialized'))
      await body.dump()
      for (const list of ['tools', 'prompts', 'resources'])
        this.#output.write(`${notificationText(`notifications/${list}/list_changed`)}\n`)
    } finally {
      this.#reopening = undefined
    }
  }

  #opened(response: Dispatcher.ResponseData): void {
    const id = response.headers['mcp-session-id']
    if (typeof id !== 'string') return
    // The version that was agreed on is the session's; the client's first wish may be another.
    this.#session = { 'mcp-session-id': id }
    const headers = { 'mcp-session-id': id, accept: 'text/event-stream' }
    const { signal } = this.#stopped
    this.#request({ method: 'GET', headers, signal, ...NO_TIMEOUT }).then(
      (stream) => this.#relay(stream).catch(() => undefined),
      () => undefined,
    )
  }

  /** A refused credential is replaced once: tokens end while clients run, and a gateway that was restarted knows other ones. */
  async #request(options: Asked): Promise<Dispatcher.ResponseData> {
    const shown = await (this.#shown ??= this.#credential())
    const response = await request(this.#url, withProof(options, shown))
    if (response.statusCode !== 401 || shown === undefined) return response
    const other = await (this.#shown = this.#credential(shown))
    if (other === undefined) return response
    await response.body.dump()
    return request(this.#url, withProof(options, other))
  }

  async #relay(response: Dispatcher.ResponseData): Promise<void> {
    const type = String(response.headers['content-type'] ?? '')
    if (type.startsWith('text/event-stream')) {
      for await (const line of linesOf(response.body)) {
        // Our own endpoint writes each message on one data line; an empty one is a bookmark.
        if (line.startsWith('data: ') && line.length > 6) this.#output.write(`${line.slice(6)}\n`)
      }
      return
    }
    const text = await response.body.text()
    if (text !== '') this.#output.write(`${oneLine(text)}\n`)
  }

  #fail(message: JsonObject, error: unknown): void {
    if (message['id'] === undefined || message['method'] === undefined) return
    const body = JSON.stringify({ code: -31503, message: `The gateway cannot be reached: ${messageOf(error)}` })
    this.#output.write(`${errorText(JSON.stringify(message['id']), body)}\n`)
  }
}

type Asked = Omit<Dispatcher.RequestOptions, 'path' | 'headers'> & {
  readonly headers: Readonly<Record<string, string>>
}

function withProof(options: Asked, credential: string | undefined): Asked {
  if (credential === undefined) return options
  return { ...options, headers: { ...options.headers, authorization: `Bearer ${credential}` } }
}

function sessionOf(headers: Readonly<Record<string, string>>): string | undefined {
  return headers['mcp-session-id']
}

const LISTENS = new WeakSet<AbortController>()
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const NO_TIMEOUT = { headersTimeout: 0, bodyTimeout: 0 }
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

function modernHeaders(message: JsonObject, version: string): Record<string, string> {
  const method = stringAt(message, 'method') ?? ''
  const name = stringAt(message['params'], NAMED_BY[method] ?? '')
  return {
    [FROM_PIPE]: '1',
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': encodeHeaderValue(name) }),
  }
}

/** What is no object is sent all the same: the endpoint says what is wrong with it. */
function parsed(line: string): JsonObject {
  try {
    const value = JSON.parse(line) as JsonValue
    return isJsonObject(value) ? value : {}
  } catch {
    return {}
  }
}
