import { IncomingMessage, type ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'
import { metadataPath } from '#identity/resources'
import { ALL_SCOPES, isScope } from '#identity/scopes'
import { AppError, toAppError } from '#kernel/errors'
import { answerJson, type Exchange } from './exchange.ts'
import { createInteractions } from './interactions.ts'
import type { OauthDeps } from './oauth-deps.ts'
import { openProvider } from './open-provider.ts'
import { PATHS } from './paths.ts'
import { admitRegistration } from './registration.ts'

/** What one address may do in a while. */
export const ALLOWANCES = {
  registration: { limit: 30, windowMs: 600_000 },
  document: { limit: 30, windowMs: 60_000 },
} as const
const PRUNE_EVERY_MS = 3_600_000
/** What is posted there is recorded, and does not begin while nothing can be. */
const CHANGES = [PATHS.interaction, PATHS.provider.registration, PATHS.provider.revocation]

/** The authorization server of this gateway, and what it says of itself as a resource. */
export interface Oauth {
  /** Takes a request when its path is one of ours; answers whether it did. */
  handle(request: IncomingMessage, response: ServerResponse): boolean
}

export function createOauth(deps: OauthDeps): Oauth {
  const interactions = createInteractions(deps)
  let opening: Promise<Provider> | undefined
  let prunedAt = -Infinity
  const provider = (): Promise<Provider> => {
    if (deps.now() - prunedAt > PRUNE_EVERY_MS) {
      prunedAt = deps.now()
      deps.store.prune(prunedAt).catch((error: unknown) => deps.log.error({ error }, 'expired grants stay for now'))
    }
    return (opening ??= openProvider(deps))
  }
  const answer = async (exchange: Exchange): Promise<void> => {
    const refusal = deps.hostGuard(exchange.request)
    if (refusal) throw refusal
    const { request, path } = exchange
    const endpoint = metadataPath(path)
    if (endpoint !== undefined) return describeResource(exchange, endpoint, deps)
    if (request.method === 'POST' && CHANGES.some((changing) => path.startsWith(changing))) deps.records.admit()
    if (path.startsWith(PATHS.interaction)) return interactions.handle(exchange, await provider())
    if (path === PATHS.provider.registration && request.method === 'POST')
      return register(exchange, await provider(), deps)
    return passOn(exchange, await provider(), deps)
  }
  return {
    handle(request, response) {
      const path = (request.url ?? '').split('?', 1)[0] ?? ''
      if (!isOurs(path)) return false
      const exchange = { request, response, path }
      answer(exchange).catch((thrown: unknown) => refuse(exchange, thrown, deps))
      return true
    },
  }
}

function isOurs(path: string): boolean {
  return path.startsWith(PATHS.base) || metadataPath(path) !== undefined || isWellKnown(path)
}

function isWellKnown(path: string): boolean {
  return PATHS.wellKnown.some((known) => path === known)
}

/** RFC 9728. */
function describeResource(exchange: Exchange, endpoint: string, { resources }: OauthDeps): void {
  const { method, headers } = exchange.request
  if (method !== 'GET' && method !== 'HEAD') throw new AppError('method_not_allowed', 'This address takes GET')
  answerJson(exchange, 200, {
    resource: resources.resourceAt(headers.host, endpoint),
    authorization_servers: [resources.issuer()],
    scopes_supported: ALL_SCOPES,
    bearer_methods_supported: ['header'],
    resource_name: 'MetaMCP',
  })
}

async function register(exchange: Exchange, provider: Provider, deps: OauthDeps): Promise<void> {
  const body = await admitRegistration(exchange, deps)
  if (body === undefined) return
  return passOn({ ...exchange, request: requestWith(exchange.request, JSON.stringify(body)) }, provider, deps)
}

/** The same request with another body: ours was read, and the library reads one itself. */
function requestWith({ socket, method, url, headers }: IncomingMessage, body: string): IncomingMessage {
  const { 'transfer-encoding': _, ...others } = headers
  const length = String(Buffer.byteLength(body))
  const request = new IncomingMessage(socket)
  // One that is not complete takes its socket with it when it is done.
  Object.assign(request, { method, url, complete: true })
  request.headers = { ...others, 'content-type': 'application/json', 'content-length': length }
  request.push(body)
  request.push(null)
  return request
}

/** The library writes addresses by what it believes of scheme and host: that is the issuer's, whoever asks how. */
async function passOn(
  { request, response, path }: Exchange,
  provider: Provider,
  { resources }: OauthDeps,
): Promise<void> {
  if (path === PATHS.provider.authorization) request.url = withScope(request.url ?? '')
  const { protocol, host } = new URL(resources.issuer())
  Object.assign(request.headers, { host, 'x-forwarded-proto': protocol.slice(0, -1), 'x-forwarded-host': host })
  await provider.callback()(request, response)
}

/** Scopes that there are not are passed over; who then names none asks for all (RFC 6749, 3.3). */
function withScope(address: string): string {
  const query = address.indexOf('?')
  const params = new URLSearchParams(query < 0 ? '' : address.slice(query))
  const known = params.getAll('scope').flatMap((scope) => scope.split(' ').filter(isScope))
  params.set('scope', (known.length > 0 ? known : ALL_SCOPES).join(' '))
  return `${PATHS.provider.authorization}?${params.toString()}`
}

function refuse(exchange: Exchange, thrown: unknown, { log, now }: OauthDeps): void {
  const error = toAppError(thrown)
  if (error.code === 'internal_error') log.error({ error: thrown, path: exchange.path }, 'authorization request failed')
  if (exchange.response.headersSent) return void exchange.response.destroy()
  const { code, message, details, status } = error
  const headers: Record<string, string> = code === 'payload_too_large' ? { connection: 'close' } : {}
  answerJson(exchange, status, { error: code, message, details, timestamp: new Date(now()).toISOString() }, headers)
}
