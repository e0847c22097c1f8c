import type { Principal } from '#identity/principal'
import { ValidationError } from '#kernel/errors'
import type { Action } from '#policy/permission'
import type { ApiDeps } from './api-deps.ts'
import { demandUser, denied } from './demand.ts'

type Sources = Pick<ApiDeps, 'identity' | 'policy' | 'roles'>

/**
 * Whose API key is made. A user's own; another user's with `users:update`. Who is on this machine and no user names one,
 * unless there is only one.
 */
export async function ownerOfNewKey(
  context: Sources,
  principal: Principal,
  named: string | undefined,
): Promise<{ readonly id: string; readonly username: string }> {
  const { identity } = context
  if (principal.kind === 'api-key') throw new ValidationError('An API key makes no API keys: log in first')
  if (named === undefined && principal.kind === 'user') return identity.users.find(principal.id)
  // Who may not is told so before he learns whether there is such a user.
  if (named !== undefined && !isOwn(principal, named)) need(context, principal, 'users:update')
  const owner = named === undefined ? await onlyUser(identity) : await identity.users.named(named)
  if (owner.id === principal.id) return owner
  need(context, principal, 'users:update')
  await demandUser(context, { principal }, owner.id)
  return owner
}

/** Whose API keys are listed: undefined for everybody's, which is what an administrator sees who is no user. */
export async function ownerOfListedKeys(
  { identity, policy }: Sources,
  principal: Principal,
  named: string | undefined,
): Promise<string | undefined> {
  const isEverybodys = principal.kind === 'local' && policy.decide(principal, 'users:read').allowed
  if (named === undefined) return isEverybodys ? undefined : principal.id
  if (!isOwn(principal, named)) need({ policy }, principal, 'users:read')
  return (await identity.users.named(named)).id
}

/** In any case of its letters, as names are looked up. */
function isOwn({ username }: Principal, named: string): boolean {
  return named.toLowerCase() === username?.toLowerCase()
}

async function onlyUser({ users }: Sources['identity']) {
  const { users: found, total } = await users.list({ limit: 1, offset: 0 })
  if (found[0] && total === 1) return found[0]
  throw new ValidationError('An API key belongs to a user: name it as its owner', { field: 'owner' })
}

function need({ policy }: Pick<Sources, 'policy'>, principal: Principal, action: Action): void {
  if (!policy.decide(principal, action).allowed) throw denied(action)
}
