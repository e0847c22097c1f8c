import type { ApiKeyBody } from '#contract/api-key'
import type { UserBody } from '#contract/user'
import type { ApiKey } from '#identity/api-keys'
import type { User } from '#identity/users'
import { isoTime, isoTimeOrNull } from './page.ts'

/** A user as answers show it: never what proves who it is. */
export function userAnswer(user: User): UserBody {
  return {
    user_id: user.id,
    username: user.username,
    email: user.email ?? null,
    full_name: user.fullName ?? null,
    roles: [...user.roles],
    is_active: user.isActive,
    created_at: isoTime(user.createdAt),
    updated_at: isoTime(user.updatedAt),
  }
}

export function apiKeyAnswer(key: ApiKey, owner: string | undefined): ApiKeyBody {
  return {
    key_id: key.id,
    name: key.name,
    prefix: key.prefix,
    owner: owner ?? null,
    permissions: listed(key.permissions),
    namespaces: listed(key.namespaces),
    addresses: listed(key.addresses),
    created_at: isoTime(key.createdAt),
    expires_at: isoTimeOrNull(key.expiresAt),
    last_used_at: isoTimeOrNull(key.lastUsedAt),
    revoked: key.revokedAt !== undefined,
  }
}

function listed(texts: readonly string[] | undefined): string[] | null {
  return texts ? [...texts] : null
}
