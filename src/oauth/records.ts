import type { IncomingMessage } from 'node:http'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { toAppError } from '#kernel/errors'
import { readAccountId } from './accounts.ts'
import type { OauthDeps } from './oauth-deps.ts'
import { PATHS } from './paths.ts'

const TEXT_MAX = 512

/** What somebody did at the authorization server; never with a token, a code or a password. */
interface OauthEvent {
  readonly action: 'oauth:login' | 'oauth:consent' | 'oauth:register' | 'oauth:revoke'
  readonly clientId: string
  /** Id of the user; empty for somebody who proved nothing. */
  readonly actor: string
  readonly username?: string | undefined
  readonly outcome: 'success' | 'denied'
  /** Why it was denied. */
  readonly code?: string | undefined
  readonly facts: Readonly<Record<string, unknown>>
}

/** Where they are recorded. */
export interface OauthRecords {
  /** Throws `unavailable` while nothing can be recorded: then nothing may begin. */
  admit(): void
  /** Durable when it resolves. */
  record(event: OauthEvent): Promise<void>
}

/** Who sent a request, as far as he tells. */
export function senderOf(request: IncomingMessage, { forwarding }: Pick<OauthDeps, 'forwarding'>) {
  return { ip: forwarding.addressOf(request), agent: request.headers['user-agent']?.slice(0, TEXT_MAX) }
}

type Deps = Pick<OauthDeps, 'records' | 'forwarding' | 'log'>

/** What the library does by itself: registrations, and ends of grants. Both are recorded before they are answered. */
interface OwnChanges {
  /** As the library asks for it, before it ends a grant: here it still knows whose it is. */
  readonly revokeGrantPolicy: (ctx: KoaContextWithOIDC) => Promise<boolean>
  /** Records what was done in a request. */
  readonly middleware: Parameters<Provider['use']>[0]
}

export function ownChanges(deps: Deps): OwnChanges {
  const ended = new WeakMap<IncomingMessage, OauthEvent>()
  return {
    async revokeGrantPolicy(ctx) {
      ended.set(ctx.req, await endOf(ctx, deps))
      return true
    },
    async middleware(ctx, next) {
      await next()
      const event = registrationOf(ctx, deps) ?? ended.get(ctx.req)
      if (!event) return
      try {
        await deps.records.record(event)
      } catch (thrown) {
        const { status, message, cause } = toAppError(thrown)
        deps.log.error({ error: cause ?? message, action: event.action }, 'what was done could not be recorded')
        ctx.status = status
        ctx.body = { error: 'temporarily_unavailable', error_description: message }
      }
    },
  }
}

type Answered = Pick<KoaContextWithOIDC, 'req' | 'path' | 'status' | 'body'>

function registrationOf({ req, path, status, body }: Answered, deps: Deps): OauthEvent | undefined {
  if (path !== PATHS.provider.registration || status !== 201) return undefined
  const { client_id: clientId, client_name: name, redirect_uris: redirects } = body as Readonly<Record<string, unknown>>
  const facts = { ...senderOf(req, deps), client_name: name, redirect_uris: shortened(redirects) }
  return { action: 'oauth:register', clientId: String(clientId), actor: '', outcome: 'success', facts }
}

function shortened(redirects: unknown): string[] {
  return Array.isArray(redirects) ? redirects.map((each) => String(each).slice(0, TEXT_MAX)).slice(0, 5) : []
}

/** A client gives a grant back, or shows a code or a refresh token a second time. */
async function endOf({ req, path, oidc }: KoaContextWithOIDC, deps: Deps): Promise<OauthEvent> {
  const token = await usedToken(oidc)
  const actor = token?.accountId === undefined ? '' : readAccountId(token.accountId).userId
  const isAsked = path === PATHS.provider.revocation
  const why = isAsked ? 'the client asked for it' : 'a code or refresh token came a second time'
  const facts = { ...senderOf(req, deps), scopes: token?.scope?.split(' '), why }
  return { action: 'oauth:revoke', clientId: oidc.client?.clientId ?? '', actor, outcome: 'success', facts }
}

async function usedToken({ entities, provider, params }: KoaContextWithOIDC['oidc']) {
  const known = entities.RefreshToken ?? entities.AuthorizationCode
  const { code, refresh_token: refreshToken } = params ?? {}
  if (known) return known
  if (typeof code === 'string') return provider.AuthorizationCode.find(code, { ignoreExpiration: true })
  if (typeof refreshToken === 'string') return provider.RefreshToken.find(refreshToken, { ignoreExpiration: true })
  return undefined
}
