/** Where the authorization server answers, below the origin that issues tokens. */
export const PATHS = {
  base: '/oauth/',
  interaction: '/oauth/interaction/',
  wellKnown: ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
  provider: {
    authorization: '/oauth/authorize',
    token: '/oauth/token',
    registration: '/oauth/register',
    revocation: '/oauth/revoke',
    jwks: '/oauth/jwks',
    end_session: '/oauth/end-session',
  },
} as const
