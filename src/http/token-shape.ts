import type { TokenPair } from '#identity/token-pairs'

export function pairAnswer({ accessToken, refreshToken, expiresInSeconds }: TokenPair) {
  return {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'bearer' as const,
    expires_in: expiresInSeconds,
  }
}
