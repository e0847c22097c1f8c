import type { ExplainedPrincipal } from '#contract/role'
import type { Principal } from '#identity/principal'
import type { User } from '#identity/users'
import { AppError } from '#kernel/errors'
import type { ApiDeps } from './api-deps.ts'
import { defined } from './defined.ts'
import { denied } from './demand.ts'

type Caller = Pick<Principal, 'roles' | 'permissions' | 'namespaces'>

/** Somebody who is asked about. */
export interface ExplainedCaller {
  readonly caller: Caller
  /** Why nothing of what he may counts. */
  readonly obstacle?: string
}

type Sources = Pick<ApiDeps, 'identity' | 'policy' | 'now'>

/** The caller that a user, an API key or made-up roles would be. Rejects with `not_found` for a user or key that there is not. */
export async function explainedCaller(
  sources: Sources,
  asking: Principal,
  asked: ExplainedPrincipal,
): Promise<ExplainedCaller> {
  if ('roles' in asked) return { caller: callerOf(asked.roles, asked) }
  // Before anything is looked up: who may not is not told who exists.
  if (!sources.policy.decide(asking, 'users:read').allowed) throw denied('users:read')
  return 'user' in asked ? explainedUser(await findUser(sources, asked.user)) : explainedKey(sources, asked.api_key)
}

function explainedUser({ roles, isActive }: User): ExplainedCaller {
  return { caller: callerOf(roles), ...(isActive ? {} : { obstacle: 'the user is inactive' }) }
}

async function explainedKey({ identity, now }: Sources, id: string): Promise<ExplainedCaller> {
  const key = await identity.apiKeys.find(id)
  const owner = explainedUser(await identity.users.find(key.ownerId))
  const caller = callerOf(owner.caller.roles, key)
  if (key.revokedAt !== undefined) return { caller, obstacle: 'the API key is revoked' }
  if (key.expiresAt !== undefined && key.expiresAt <= now()) return { caller, obstacle: 'the API key has expired' }
  return { ...owner, caller }
}

type Narrowing = { readonly [K in 'permissions' | 'namespaces']?: Caller[K] | undefined }

function callerOf(roles: readonly string[], { permissions, namespaces }: Narrowing = {}): Caller {
  return { roles, ...defined({ permissions, namespaces }) }
}

/** Names go before ids, as somebody could be called like an id. */
async function findUser({ identity: { users } }: Sources, named: string): Promise<User> {
  try {
    return await users.named(named)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'not_found') throw thrown
    return users.find(named)
  }
}
