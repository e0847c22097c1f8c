import { AppError, messageOf } from '#kernel/errors'
import type { Logger } from '#kernel/logger'
import { networkOf } from './addresses.ts'
import { createLockout, lockoutRule, type SharedFailures } from './lockout.ts'
import type { Passwords } from './passwords.ts'
import { isUsername } from './user-rules.ts'
import type { Page, User, UserStore } from './users.ts'

/** Of one account, and of one address, behind which a whole office may sit. */
const FREE_FAILURES = { account: 5, address: 30 } as const
const AGENT_CHARS_MAX = 256
const ADDRESS_CHARS_MAX = 64
const USERNAME_CHARS_MAX = 64

/** Where a login comes from, as far as the caller knows. */
interface LoginOrigin {
  readonly ip?: string | undefined
  readonly agent?: string | undefined
}

/** An attempt to log in. Those that a lockout refused are none. */
export interface LoginRecord {
  /** UUIDv7: sorts by time. */
  readonly id: string
  /** Absent when nobody has the username, which then may be a password in the wrong field: it is not kept. */
  readonly userId?: string
  readonly outcome: 'success' | 'wrong_password' | 'unknown_user' | 'inactive'
  readonly ip?: string
  readonly agent?: string
  /** Epoch milliseconds. */
  readonly at: number
}

/** The durable history of logins. */
export interface LoginStore {
  append(login: LoginRecord): Promise<void>
  /** Of one user, newest first, with the number of all. */
  list(userId: string, page: Page): Promise<{ readonly logins: LoginRecord[]; readonly total: number }>
  /** Removes what was before `before` (epoch milliseconds) and all but the newest `keep`; answers how many. */
  prune(before: number, keep: number): Promise<number>
}

export interface Logins {
  /**
   * The user with this password. Rejects with `authentication_error` alike for an unknown or inactive user and a wrong password,
   * with `rate_limited` and the seconds to wait after many failures, with `overloaded` when too many log in at once.
   */
  login(username: string, password: string, origin: LoginOrigin): Promise<User>
  history(userId: string, page: Page): ReturnType<LoginStore['list']>
}

export interface LoginDeps {
  readonly users: UserStore
  readonly store: LoginStore
  readonly passwords: Passwords
  /** Absent for a gateway that is alone. */
  readonly failures?: SharedFailures | undefined
  readonly log: Logger
  /** Epoch milliseconds. */
  now(): number
  newId(nowMs: number): string
}

export function createLogins(deps: LoginDeps): Logins {
  const { users, store, passwords, log } = deps
  const guard = createGuard(deps)
  return {
    async login(username, password, origin) {
      const keys = keysOf(username, origin)
      await guard.check(keys)
      const user = isUsername(username) ? await users.findByUsername(username) : undefined
      const verdict = await passwords.verify(password, user?.passwordHash)
      const outcome = outcomeOf(user, verdict)
      await guard.settle(keys, outcome)
      await store.append(recordOf({ user, outcome, origin }, deps))
      if (!user || outcome !== 'success') {
        log.warn({ outcome, user: user?.id, ip: origin.ip }, 'login refused')
        throw new AppError('authentication_error', 'The username or the password is wrong')
      }
      if (verdict === 'outdated') await upgradeHash(user, password, deps)
      return user
    },
    history: (userId, page) => store.list(userId, page),
  }
}

type Outcome = LoginRecord['outcome']

function outcomeOf(user: User | undefined, verdict: string): Outcome {
  if (!user) return 'unknown_user'
  if (verdict === 'wrong') return 'wrong_password'
  return user.isActive ? 'success' : 'inactive'
}

interface Keys {
  readonly account: string
  readonly address: string | undefined
}

/** Unknown usernames have a key like any other: a lockout does not tell who exists. */
function keysOf(username: string, { ip }: LoginOrigin): Keys {
  return {
    account: username.slice(0, USERNAME_CHARS_MAX).toLowerCase(),
    address: ip === undefined ? undefined : networkOf(ip.slice(0, ADDRESS_CHARS_MAX)),
  }
}

/** A success clears the account and not the address: one good login would buy an attacker a free round at the others. */
function createGuard({ failures: shared, now }: Pick<LoginDeps, 'failures' | 'now'>) {
  const accounts = createLockout({ name: 'account', rule: lockoutRule(FREE_FAILURES.account), shared, now })
  const addresses = createLockout({ name: 'address', rule: lockoutRule(FREE_FAILURES.address), shared, now })
  const check = async ({ account, address }: Keys): Promise<void> => {
    admit(await accounts.waitMs(account))
    if (address !== undefined) admit(await addresses.waitMs(address))
  }
  return {
    check,
    /** Of many guesses at once all passed the check before: those that come after the last free failure learn nothing. */
    async settle(keys: Keys, outcome: Outcome): Promise<void> {
      const { account, address } = keys
      if (outcome !== 'success') {
        admit(await accounts.failed(account))
        if (address !== undefined) admit(await addresses.failed(address))
        return
      }
      await check(keys)
      await accounts.forgive(account)
    },
  }
}

function admit(waitMs: number): void {
  if (waitMs === 0) return
  const seconds = Math.ceil(waitMs / 1000)
  const details = { retry_after: seconds }
  throw new AppError('rate_limited', `Too many failed logins; try again in ${seconds} s`, { details })
}

interface Attempt {
  readonly user: User | undefined
  readonly outcome: Outcome
  readonly origin: LoginOrigin
}

function recordOf({ user, outcome, origin }: Attempt, { now, newId }: LoginDeps): LoginRecord {
  const { ip, agent } = origin
  const at = now()
  return {
    id: newId(at),
    ...(user ? { userId: user.id } : {}),
    outcome,
    ...(ip === undefined ? {} : { ip: ip.slice(0, ADDRESS_CHARS_MAX) }),
    ...(agent === undefined ? {} : { agent: agent.slice(0, AGENT_CHARS_MAX) }),
    at,
  }
}

/** A login does not fail because its hash stays an old one. */
async function upgradeHash(user: User, password: string, { users, passwords, log }: LoginDeps): Promise<void> {
  try {
    const passwordHash = await passwords.rehash(password)
    await users.update(user.id, (now) =>
      // Somebody may have set another password meanwhile.
      now.passwordHash === user.passwordHash ? { ...now, passwordHash } : now,
    )
  } catch (thrown) {
    log.warn({ user: user.id, error: messageOf(thrown) }, 'password hash could not be upgraded')
  }
}
