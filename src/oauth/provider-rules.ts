import type * as OidcProvider from 'oidc-provider'
import type { AccessToken, ClientCredentials, Configuration, JWTStructured, KoaContextWithOIDC } from 'oidc-provider'
import { ALL_SCOPES } from '#identity/scopes'
import { digest } from '#kernel/seal'
import { readAccountId } from './accounts.ts'
import type { OauthDeps } from './oauth-deps.ts'
import { PATHS } from './paths.ts'
import { redirectProblem } from './redirect-rules.ts'

type Library = typeof OidcProvider

const MINUTE = 60
const HOUR = 60 * MINUTE
/** After which a user is asked again, however often a client has refreshed. */
const YEAR = 365 * 24 * HOUR
const DOCUMENT_BYTES_MAX = 16 * 1024

/** What access tokens carry of a grant: its hash, so that nobody can end it with one. */
export function familyOf(grantId: string): string {
  return digest(grantId)
}

/** Writes an access token's claims the way `identity` reads them. */
export function describeGrant(token: AccessToken | ClientCredentials, jwt: JWTStructured): void {
  const { iss, aud, jti, iat, exp, scope, client_id: clientId } = jwt.payload
  const { accountId, grantId } = token as AccessToken
  const { userId, epoch } = readAccountId(accountId)
  const common = { iss, aud, sub: userId, jti, iat, exp, epoch, family: familyOf(grantId) }
  jwt.payload = { ...common, client_id: clientId, scope }
}

/** Which parts of the library are in use: as few as clients of MCP need. What it would decide by default it says on stdout. */
export function featuresOf(deps: OauthDeps, { errors }: Library): Configuration['features'] {
  const { resources, key, accessTokenMs } = deps
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    dPoP: { enabled: false },
    revocation: { enabled: true, allowedPolicy: (_ctx, { clientId }, token) => token.clientId === clientId },
    registration: { enabled: true, issueRegistrationAccessToken: false },
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      allowFetch: async (ctx) => (await deps.take('document', deps.forwarding.addressOf(ctx.req))).isAllowed,
      allowClient: (_ctx, client) => (client.redirectUris ?? []).every((uri) => redirectProblem(uri) === undefined),
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => {
        throw new errors.InvalidTarget('the request names no resource')
      },
      useGrantedResource: () => true,
      getResourceServerInfo(_ctx, resource) {
        if (!resources.read(resource)) throw new errors.InvalidTarget('the resource is none of this gateway')
        return {
          audience: resource,
          scope: ALL_SCOPES.join(' '),
          accessTokenTTL: Math.floor(accessTokenMs / 1000),
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'EdDSA', kid: key.kid } },
        }
      },
    },
  }
}

/** How long each thing lives, in seconds. */
export function lifetimesOf({ accessTokenMs, refreshTokenMs }: OauthDeps): Configuration {
  return {
    ttl: {
      AccessToken: Math.floor(accessTokenMs / 1000),
      AuthorizationCode: MINUTE,
      Grant: YEAR,
      IdToken: MINUTE,
      Interaction: 10 * MINUTE,
      RefreshToken: Math.floor(refreshTokenMs / 1000),
      Session: HOUR,
    },
    rotateRefreshToken: true,
    // A login in the browser may end, and what was granted in it goes on.
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  }
}

/** Documents of clients are small and read by whoever guards the way out. */
export function limitedDocuments(deps: OauthDeps): Configuration {
  const most = DOCUMENT_BYTES_MAX
  return {
    fetch: (url, { signal } = {}) => deps.fetchDocument(addressOf(url), signal ?? AbortSignal.timeout(5000)),
    fetchResponseBodyLimits: { 'client_id metadata document': most, jwks_uri: most, sector_identifier_uri: most },
  }
}

function addressOf(target: string | URL | Request): string {
  return target instanceof Request ? target.url : target.toString()
}

/** A browser may stay logged in for a while, but each authorization is asked for anew and is a grant of its own. */
export function askEachTime({ interactionPolicy }: Library): Configuration {
  const { base, Check } = interactionPolicy
  const policy = base()
  policy.get('login')?.checks.add(new Check('account_gone', 'End-User authentication is required', isAccountGone))
  policy.get('consent')?.checks.add(new Check('each_time', 'consent is asked for each time', isStillToAsk))
  return {
    interactions: { policy, url: (_ctx, { uid }) => PATHS.interaction + uid },
    async loadExistingGrant({ oidc }) {
      const { grantId } = oidc.result?.consent ?? {}
      return grantId === undefined ? undefined : oidc.provider.Grant.find(grantId)
    },
  }
}

function isAccountGone({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.session?.accountId !== undefined && oidc.account === undefined
}

function isStillToAsk({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.result?.consent === undefined
}
