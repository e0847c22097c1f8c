import type { TokenPairs } from '#identity/token-pairs'

/** A pair of tokens as OAuth clients know it. */
export function pairAnswer(pair: Awaited<ReturnType<TokenPairs['open']>>) {
  return {
    access_token: pair.accessToken,
    refresh_token: pair.refreshToken,
    token_type: 'bearer' as const,
    expires_in: pair.expiresInSeconds,
  }
}
