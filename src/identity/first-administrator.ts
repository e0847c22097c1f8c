import { randomInt } from 'node:crypto'
import { AppError } from '#kernel/errors'
import type { User, Users } from './users.ts'

const PASSWORD_CHARS = 24
/** Without what looks alike in print. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'

export interface FirstAdministrator {
  readonly user: User
  /** Only where it was generated: shown once, kept nowhere. */
  readonly password?: string
}

/** Makes an administrator when there is no user at all. Of two gateways that start at once one does; undefined for the other. */
export async function ensureAdministrator(
  users: Users,
  { username, password }: { readonly username: string; readonly password?: string | undefined },
): Promise<FirstAdministrator | undefined> {
  const { total } = await users.list({ limit: 1, offset: 0 })
  if (total > 0) return undefined
  const generated = password === undefined ? generatedPassword() : undefined
  try {
    const user = await users.register({ username, password: password ?? generated ?? '', roles: ['admin'] })
    return { user, ...(generated === undefined ? {} : { password: generated }) }
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'conflict') return undefined
    throw thrown
  }
}

function generatedPassword(): string {
  return Array.from({ length: PASSWORD_CHARS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
