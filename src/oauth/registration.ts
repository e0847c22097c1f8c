import { z } from 'zod'
import { answerJson, readText, type Exchange } from './exchange.ts'
import type { OauthDeps } from './oauth-deps.ts'
import { redirectProblem } from './redirect-rules.ts'

const BODY_BYTES_MAX = 32 * 1024
const REDIRECTS_MAX = 20
const CLIENTS_MAX = 5000

/** What is taken of a registration (RFC 7591): the rest would be kept for nothing, or make us fetch what others name. */
const registration = z.object({
  redirect_uris: z.array(z.string()).min(1).max(REDIRECTS_MAX),
  client_name: z.string().trim().max(200).optional(),
  grant_types: z.array(z.string()).max(20).optional(),
})

/**
 * Checks what a client says of itself and puts it in order for the library: a public client that gets codes, and refresh
 * tokens where it wants them. Undefined when it was refused, and answered.
 */
export async function admitRegistration(exchange: Exchange, deps: OauthDeps): Promise<object | undefined> {
  const { isAllowed, resetAt } = await deps.take('registration', deps.forwarding.addressOf(exchange.request))
  if (!isAllowed) return tooMany(exchange, Math.max(1, Math.ceil((resetAt - deps.now()) / 1000)))
  const { data } = registration.safeParse(parsed(await readText(exchange.request, BODY_BYTES_MAX)))
  if (!data) return refused(exchange, 'invalid_client_metadata', 'It needs redirect_uris, a list of addresses')
  const problems = data.redirect_uris.flatMap((uri) => redirectProblem(uri) ?? [])
  if (problems[0] !== undefined) return refused(exchange, 'invalid_redirect_uri', `A redirect address ${problems[0]}`)
  if (data.grant_types?.includes('authorization_code') === false)
    return refused(exchange, 'invalid_client_metadata', 'Clients get tokens by authorization_code alone')
  if ((await deps.store.count('Client')) >= CLIENTS_MAX) return tooMany(exchange, 3600)
  const hasRefresh = data.grant_types?.includes('refresh_token') ?? true
  return {
    redirect_uris: data.redirect_uris,
    ...(data.client_name === undefined || data.client_name === '' ? {} : { client_name: data.client_name }),
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    response_types: ['code'],
    grant_types: ['authorization_code', ...(hasRefresh ? ['refresh_token'] : [])],
  }
}

function refused(exchange: Exchange, error: string, description: string): undefined {
  answerJson(exchange, 400, { error, error_description: description })
}

function tooMany(exchange: Exchange, seconds: number): undefined {
  const error = {
    error: 'temporarily_unavailable',
    error_description: `Too many registrations; try again in ${seconds} s`,
  }
  answerJson(exchange, 429, error, { 'retry-after': String(seconds) })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
