import { request, type Dispatcher } from 'undici'
import { problem } from '#contract/problem'
import { CliError } from './cli-error.ts'
import { plainLine } from './plain-text.ts'

const BASE = '/api/v1/'
export const TIMEOUT_MS = 30_000

interface Question {
  /** JSON text. */
  readonly body?: string
  readonly timeoutMs?: number
  /** A Bearer credential. */
  readonly credential?: string | undefined
}

/** What came back over HTTP; `value` is undefined for what is no JSON. */
export interface Reply {
  readonly status: number
  readonly text: string
  readonly value: unknown
}

/** One request to the REST API of a gateway. Rejects with CliError when nobody answers. */
export async function ask(
  method: Dispatcher.HttpMethod,
  url: string,
  path: string,
  { body, timeoutMs = TIMEOUT_MS, credential }: Question = {},
): Promise<Reply> {
  try {
    const response = await request(url + BASE + path, {
      method,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: 'application/json',
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.body.text()
    return { status: response.statusCode, text, value: parsed(text) }
  } catch (cause) {
    throw unreachable(new URL(url).origin, timeoutMs, cause)
  }
}

/** Why the gateway did not do it, in its own words; another sentence for what is no gateway. */
export function refusalOf({ status, value }: Reply, url: string): CliError {
  const refusal = problem.safeParse(value)
  if (!refusal.success) return notOurs(url)
  const said = plainLine(refusal.data.message)
  return new CliError(status === 401 ? `${said}; log in with "metamcp login", or set META_MCP_API_KEY` : said)
}

export function notOurs(url: string): CliError {
  return new CliError(`What answers at ${url} is not a MetaMCP gateway of this version`)
}

function unreachable(origin: string, timeoutMs: number, cause: unknown): CliError {
  const isLate = cause instanceof Error && /Timeout/.test(cause.name)
  return isLate
    ? new CliError(`The gateway at ${origin} did not answer within ${timeoutMs / 1000} s`, { cause })
    : new CliError(`No gateway answers at ${origin}; start one with "metamcp serve", or name it with --url`, { cause })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
