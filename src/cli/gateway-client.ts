import { request, type Dispatcher } from 'undici'
import type { z } from 'zod'
import { problem } from '#contract/problem'
import { CliError } from './cli-error.ts'
import { plainLine } from './plain-text.ts'

const BASE = '/api/v1/'
const TIMEOUT_MS = 30_000

interface RequestOptions {
  /** JSON text. */
  readonly body?: string
  readonly timeoutMs?: number
  readonly proof?: Readonly<Record<string, string>>
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
  delete(path: string): Promise<void>
}

/** @param credential A Bearer credential, where the gateway wants one. */
export function createGatewayClient(url: string, credential?: string): GatewayClient {
  const proof = credential === undefined ? {} : { authorization: `Bearer ${credential}` }
  const send = async (method: Dispatcher.HttpMethod, path: string, options: RequestOptions = {}): Promise<Answer> => {
    const { status, text } = await exchange(method, url + BASE + path, { ...options, proof })
    if (status >= 200 && status < 300 && text === '') return { text, value: undefined }
    const value = parseJson(text, url)
    if (status >= 200 && status < 300) return { text, value }
    const refusal = problem.safeParse(value)
    if (!refusal.success) throw notOurs(url)
    throw new CliError(plainLine(refusal.data.message))
  }
  return {
    url,
    get: (path) => send('GET', path),
    post: (path, body, timeoutMs = TIMEOUT_MS) => send('POST', path, { body, timeoutMs }),
    delete: async (path) => {
      await send('DELETE', path)
    },
  }
}

/** The answer as the contract describes it; a gateway of another kind or age gets a sentence. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: Answer, url: string): T {
  const read = schema.safeParse(answer.value)
  if (read.success) return read.data
  throw notOurs(url)
}

async function exchange(method: Dispatcher.HttpMethod, address: string, options: RequestOptions) {
  const { body, timeoutMs = TIMEOUT_MS, proof } = options
  try {
    const response = await request(address, {
      method,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: 'application/json',
        ...proof,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    })
    return { status: response.statusCode, text: await response.body.text() }
  } catch (cause) {
    throw unreachable(new URL(address).origin, timeoutMs, cause)
  }
}

function unreachable(origin: string, timeoutMs: number, cause: unknown): CliError {
  const isLate = cause instanceof Error && /Timeout/.test(cause.name)
  return isLate
    ? new CliError(`The gateway at ${origin} did not answer within ${timeoutMs / 1000} s`, { cause })
    : new CliError(`No gateway answers at ${origin}; start one with "metamcp serve", or name it with --url`, { cause })
}

function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notOurs(url)
  }
}

function notOurs(url: string): CliError {
  return new CliError(`What answers at ${url} is not a MetaMCP gateway of this version`)
}
