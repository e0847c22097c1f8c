import { hkdfSync } from 'node:crypto'
import { exportJWK } from 'jose'
import type * as OidcProvider from 'oidc-provider'
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { ALL_SCOPES } from '#identity/scopes'
import { findAccountUser } from './accounts.ts'
import { createAdapters } from './adapter.ts'
import type { OauthDeps } from './oauth-deps.ts'
import { errorPage } from './pages.ts'
import { pageHeaders } from './page-headers.ts'
import { PATHS } from './paths.ts'
import { ownChanges } from './records.ts'
import { askEachTime, describeGrant, familyOf, featuresOf, lifetimesOf, limitedDocuments } from './provider-rules.ts'

type Library = typeof OidcProvider

/** The authorization server; its code is loaded with the first one, because many gateways never need it. */
export async function openProvider(deps: OauthDeps): Promise<Provider> {
  const library = await import('oidc-provider')
  const changes = ownChanges(deps)
  const { revokeGrantPolicy } = changes
  const configuration = { ...(await configurationOf(deps, library)), revokeGrantPolicy }
  const provider = new library.Provider(deps.resources.issuer(), configuration)
  // What we say in the headers is what it believes of scheme and host.
  provider.proxy = true
  provider.on('server_error', (ctx: KoaContextWithOIDC, error: unknown) =>
    deps.log.error({ error, path: ctx.path }, 'authorization server failed'),
  )
  provider.on('grant.revoked', (ctx: KoaContextWithOIDC) =>
    deps.log.warn({ client: ctx.oidc.client?.clientId, route: ctx.oidc.route }, 'grant revoked'),
  )
  provider.use(changes.middleware)
  provider.use(async function describeScopes(ctx, next) {
    await next()
    if (ctx.path.startsWith('/.well-known/') && ctx.status === 200)
      ctx.body = { ...(ctx.body as object), scopes_supported: ALL_SCOPES }
  })
  return provider
}

async function configurationOf(deps: OauthDeps, library: Library): Promise<Configuration> {
  const { key, identity, store, sealer, secret, now } = deps
  const jwk = { ...(await exportJWK(key.signing)), kid: key.kid, alg: key.algorithm, use: 'sig' }
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, overwrite: true } as const
  const usedUp = () => new library.errors.InvalidGrant('it was used by another request at the same time')
  const endGrant = (grantId: string) => identity.endGrant(familyOf(grantId))
  return {
    adapter: createAdapters({ store, sealer, now, endGrant, usedUp, refreshLifetimeMs: deps.refreshTokenMs }),
    jwks: { keys: [jwk] },
    cookies: {
      names: cookieNames(deps.resources.issuer()),
      keys: [Buffer.from(hkdfSync('sha256', secret, '', 'metamcp oauth cookies v1', 32))],
      long: cookie,
      short: cookie,
    },
    clientAuthMethods: ['none'],
    clientDefaults: {
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'EdDSA',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
    responseTypes: ['code'],
    scopes: [],
    claims: {},
    pkce: { required: () => true },
    // Web pages have passed the host guard before.
    clientBasedCORS: () => true,
    routes: PATHS.provider,
    features: featuresOf(deps, library),
    ...limitedDocuments(deps),
    formats: { customizers: { jwt: (_ctx, token, jwt) => describeGrant(token, jwt) } },
    async findAccount(_ctx, accountId) {
      const user = await findAccountUser(identity, accountId)
      return user && { accountId, claims: () => ({ sub: accountId }) }
    },
    ...lifetimesOf(deps),
    ...askEachTime(library),
    renderError(ctx, out) {
      ctx.set(pageHeaders())
      ctx.type = 'html'
      ctx.body = errorPage({ error: out.error, description: out.error_description })
    },
  }
}

/**
 * Over https the prefixes keep other hosts and plain http from planting them; that of the session is for the whole host. The
 * others are each for the address of one login, so that several can go on at once.
 */
function cookieNames(issuer: string) {
  const isSecure = issuer.startsWith('https:')
  const [host, secure] = isSecure ? ['__Host-', '__Secure-'] : ['', '']
  return {
    session: `${host}metamcp_login`,
    interaction: `${secure}metamcp_interaction`,
    resume: `${secure}metamcp_resume`,
  }
}
