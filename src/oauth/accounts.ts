import type { Identity } from '#identity/create-identity'
import type { User } from '#identity/users'
import { AppError } from '#kernel/errors'

/**
 * To the authorization server an account is a user of one epoch: when the epoch rises, sessions, codes and refresh tokens
 * of the one before belong to nobody.
 */
export function accountIdOf({ id, tokenEpoch }: Pick<User, 'id' | 'tokenEpoch'>): string {
  return `${id}.${tokenEpoch}`
}

export function readAccountId(accountId: string): { readonly userId: string; readonly epoch: number } {
  const end = accountId.lastIndexOf('.')
  return { userId: accountId.slice(0, end), epoch: Number(accountId.slice(end + 1)) }
}

/** The user of an account, if it is still there, active and of that epoch. */
export async function findAccountUser(
  { users }: Pick<Identity, 'users'>,
  accountId: string,
): Promise<User | undefined> {
  const { userId, epoch } = readAccountId(accountId)
  try {
    const user = await users.find(userId)
    return user.isActive && user.tokenEpoch === epoch ? user : undefined
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'not_found') return undefined
    throw thrown
  }
}
