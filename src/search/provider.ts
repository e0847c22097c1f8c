import { AppError } from '#kernel/errors'
import type { JsonValue } from '#kernel/json'

const EXCERPT_CHARS_MAX = 200
const MEGABYTE = 1024 * 1024

/** A search service that an operator has set: trusted, wherever it is. */
export interface ProviderSettings {
  readonly url: string
  readonly model?: string
  readonly key?: { reveal(): string }
}

/** One kind of service at one address. */
export interface Provider {
  /** How sentences about it begin. */
  readonly name: string
  readonly url: string
  readonly key?: ProviderSettings['key'] | undefined
  /** Whether a refusal may be quoted to everybody: not where it may repeat somebody's query. */
  readonly isQuoted: boolean
  readonly limitMs: number
  readonly answerBytesMax: number
}

/** Posts JSON and gives the JSON that comes back. Rejects with a plain sentence, `details.status` where there was an answer. */
export async function askProvider(provider: Provider, body: object, signal: AbortSignal): Promise<JsonValue> {
  const patience = AbortSignal.timeout(provider.limitMs)
  try {
    return await exchange(provider, body, AbortSignal.any([signal, patience]))
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof AppError) throw thrown
    const reason = patience.aborted ? `did not answer within ${provider.limitMs} ms` : connectFailure(thrown)
    throw failure(provider, reason)
  }
}

async function exchange(provider: Provider, body: object, signal: AbortSignal): Promise<JsonValue> {
  const { url, key } = provider
  const authorization = key ? { authorization: `Bearer ${key.reveal()}` } : {}
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...authorization }
  // A redirect could take the key and the texts elsewhere.
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal, redirect: 'manual' })
  const text = await textOf(response, provider)
  if (!response.ok) throw refusal(provider, response.status, text)
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw failure(provider, 'did not answer with JSON')
  }
}

async function textOf({ body }: Response, provider: Provider): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > provider.answerBytesMax)
      throw failure(provider, `answered with more than ${provider.answerBytesMax / MEGABYTE} MB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refusal(provider: Provider, status: number, text: string): AppError {
  if (status < 400) return failure(provider, `sends on to another address (status ${status}): set that one`, { status })
  if (status === 401 || status === 403)
    return failure(provider, `${provider.key ? 'refuses the key' : 'wants a key'} (status ${status})`, { status })
  const excerpt = excerptOf(text, provider.key?.reveal())
  const quoted = provider.isQuoted && excerpt !== '' ? `: ${excerpt}` : ''
  return failure(provider, `answered with status ${status}${quoted}`, { status })
}

/** The beginning of an answer, on one line and without the key, should it repeat that. */
function excerptOf(text: string, key: string | undefined): string {
  const safe =
    key === undefined ? text : text.replaceAll(key, '***').replaceAll(JSON.stringify(key).slice(1, -1), '***')
  const line = safe.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length > EXCERPT_CHARS_MAX ? `${line.slice(0, EXCERPT_CHARS_MAX)}…` : line
}

/** Whether it is what was sent that a provider does not take. */
export function isRefusedContent(thrown: unknown): boolean {
  const status = thrown instanceof AppError ? thrown.details['status'] : undefined
  return status === 400 || status === 413 || status === 422
}

/** What is wrong with a provider or its answer, as a sentence. */
export function failure({ name }: Pick<Provider, 'name'>, what: string, details: { status?: number } = {}): AppError {
  return new AppError('unavailable', `${name} ${what}`, { details })
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'cannot be reached: nothing listens at its address',
  ENOTFOUND: 'cannot be reached: its host name is unknown',
  EAI_AGAIN: 'cannot be reached: its host name cannot be looked up now',
  EHOSTUNREACH: 'cannot be reached: there is no way to its host',
  UND_ERR_CONNECT_TIMEOUT: 'cannot be reached: its host does not accept a connection in time',
  ETIMEDOUT: 'cannot be reached: its host does not accept a connection in time',
  ECONNRESET: 'closed the connection before it had answered',
  UND_ERR_SOCKET: 'closed the connection before it had answered',
}

/** Never the driver's own text. */
function connectFailure(thrown: unknown): string {
  const code = codeOf(thrown)
  return REASONS[code] ?? `cannot be reached (${code})`
}

function codeOf(thrown: unknown): string {
  const { code, cause } = thrown as NodeJS.ErrnoException
  if (typeof code === 'string') return code
  return cause instanceof Error ? codeOf(cause) : 'no reason given'
}
