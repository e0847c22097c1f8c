import type { Dispatcher } from 'undici'
import type { z } from 'zod'
import type { Credentials } from './credentials.ts'
import { ask, notOurs, refusalOf, TIMEOUT_MS } from './exchange.ts'

interface RequestOptions {
  /** JSON text. */
  readonly body?: string
  readonly timeoutMs?: number
}

/** An answer of the gateway: its text as it came, and what it says. */
export interface Answer {
  readonly text: string
  readonly value: unknown
}

/** The REST API of a running gateway. Rejects with CliError: nobody answers, or a refusal in the gateway's own words. */
export interface GatewayClient {
  readonly url: string
  get(path: string): Promise<Answer>
  post(path: string, body: string, timeoutMs?: number): Promise<Answer>
  patch(path: string, body: string): Promise<Answer>
  delete(path: string): Promise<void>
  /** What is no JSON. */
  text(path: string): Promise<string>
}

export function createGatewayClient(url: string, credentials: Credentials): GatewayClient {
  const sendAny = async (
    method: Dispatcher.HttpMethod,
    path: string,
    options: RequestOptions = {},
  ): Promise<Answer> => {
    const credential = await credentials.current()
    let reply = await ask(method, url, path, { ...options, credential })
    if (reply.status === 401 && credential !== undefined) {
      const other = await credentials.current(credential)
      if (other !== undefined) reply = await ask(method, url, path, { ...options, credential: other })
    }
    const { status, text, value } = reply
    if (status < 200 || status >= 300) throw refusalOf(reply, url)
    return { text, value }
  }
  const send: typeof sendAny = async (...request) => {
    const answer = await sendAny(...request)
    if (answer.text !== '' && answer.value === undefined) throw notOurs(url)
    return answer
  }
  return {
    url,
    get: (path) => send('GET', path),
    post: (path, body, timeoutMs = TIMEOUT_MS) => send('POST', path, { body, timeoutMs }),
    patch: (path, body) => send('PATCH', path, { body }),
    delete: async (path) => {
      await send('DELETE', path)
    },
    text: async (path) => (await sendAny('GET', path)).text,
  }
}

/** The answer as the contract describes it; a gateway of another kind or age gets a sentence. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: Answer, url: string): T {
  const read = schema.safeParse(answer.value)
  if (read.success) return read.data
  throw notOurs(url)
}
