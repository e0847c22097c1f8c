import { AppError } from '#kernel/errors'
import type { Passwords } from './passwords.ts'
import { checkUser } from './user-rules.ts'

/** A person, or a program with a password. */
export interface User {
  /** UUIDv7. */
  readonly id: string
  /** As it was given; no other user has it in any case of its letters. */
  readonly username: string
  readonly email?: string
  readonly fullName?: string
  readonly roles: readonly string[]
  readonly isActive: boolean
  readonly passwordHash: string
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  readonly passwordChangedAt: number
  /** Rises when everything that was issued to the user must end: tokens of another epoch are refused. */
  readonly tokenEpoch: number
}

export interface Page {
  readonly limit: number
  readonly offset: number
}

/**
 * Keeps users over restarts. An administrator is an active user with the role `admin`. A change or removal that would leave
 * none is refused with `conflict`, also when two are asked for at once.
 */
export interface UserStore {
  /** By creation, with the number of all. */
  list(page: Page): Promise<{ readonly users: User[]; readonly total: number }>
  find(id: string): Promise<User | undefined>
  /** In any case of its letters. */
  findByUsername(username: string): Promise<User | undefined>
  /** Rejects with `conflict` when the id or the username exists: of two at once exactly one succeeds. */
  insert(user: User): Promise<void>
  /**
   * Replaces the user by what `change` makes of it, with nothing in between; answers that. The id and the username stay.
   * Rejects with `not_found` when there is none.
   */
  update(id: string, change: (user: User) => User): Promise<User>
  /** Together with all API keys and refresh families of the user. False when there was none. */
  delete(id: string): Promise<boolean>
}

export interface UserDraft {
  readonly username: string
  readonly password: string
  readonly email?: string
  readonly fullName?: string
  readonly roles: readonly string[]
  readonly isActive?: boolean
}

/** What is absent stays; null removes. */
interface UserChanges {
  readonly password?: string
  readonly email?: string | null
  readonly fullName?: string | null
  readonly roles?: readonly string[]
  readonly isActive?: boolean
}

export interface Users {
  /** Rejects with a ValidationError for what breaks the rules, with `conflict` for a taken username. */
  register(draft: UserDraft): Promise<User>
  /** Another password or another activity end every login of the user; other roles are in force with its next request. */
  change(id: string, changes: UserChanges): Promise<User>
  remove(id: string): Promise<void>
  /** Rejects with `not_found`. */
  find(id: string): Promise<User>
  /** In any case of its letters. Rejects with `not_found`. */
  named(username: string): Promise<User>
  list(page: Page): Promise<{ readonly users: User[]; readonly total: number }>
}

export interface UserDeps {
  readonly store: UserStore
  readonly passwords: Passwords
  /** Told of every user who changed or went, once that is durable. */
  withdrawn(userId: string): void
  /** Epoch milliseconds. */
  now(): number
  newId(nowMs: number): string
}

export function createUsers({ store, passwords, withdrawn, now, newId }: UserDeps): Users {
  return {
    async register({ username, password, email, fullName, roles, isActive = true }) {
      const about = present({ email, fullName })
      checkUser({ username, ...about, roles })
      const passwordHash = await passwords.hash(password)
      const at = now()
      const times = { createdAt: at, updatedAt: at, passwordChangedAt: at }
      const access = { roles: distinct(roles), isActive, passwordHash, ...times, tokenEpoch: 0 }
      const user = { id: newId(at), username, ...about, ...access }
      await store.insert(user)
      return user
    },
    async change(id, { password, ...changes }) {
      checkUser(present(changes))
      const passwordHash = password === undefined ? undefined : await passwords.hash(password)
      const user = await store.update(id, (before) => changed(before, { ...changes, passwordHash }, now()))
      withdrawn(id)
      return user
    },
    async remove(id) {
      if (!(await store.delete(id))) throw unknownUser()
      withdrawn(id)
    },
    async find(id) {
      const user = await store.find(id)
      if (!user) throw unknownUser()
      return user
    },
    async named(username) {
      const user = await store.findByUsername(username)
      if (!user) throw unknownUser()
      return user
    },
    list: (page) => store.list(page),
  }
}

type HashedChanges = Omit<UserChanges, 'password'> & { readonly passwordHash: string | undefined }

function changed(before: User, changes: HashedChanges, at: number): User {
  const { roles = before.roles, isActive = before.isActive, passwordHash } = changes
  const { email, fullName, ...rest } = before
  const after: User = {
    ...rest,
    ...present({
      email: changes.email === undefined ? email : changes.email,
      fullName: changes.fullName === undefined ? fullName : changes.fullName,
    }),
    roles: distinct(roles),
    isActive,
    updatedAt: at,
    ...(passwordHash === undefined ? {} : { passwordHash, passwordChangedAt: at }),
  }
  return endsLogins(before, after) ? { ...after, tokenEpoch: before.tokenEpoch + 1 } : after
}

/** Roles are read with every request: other ones are in force at once, and nobody has to log in again. */
function endsLogins(before: User, after: User): boolean {
  return before.passwordHash !== after.passwordHash || before.isActive !== after.isActive
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> }

/** Without what is undefined or null. */
function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  ) as Present<T>
}

function distinct(roles: readonly string[]): string[] {
  return [...new Set(roles)]
}

function unknownUser(): AppError {
  return new AppError('not_found', 'There is no such user')
}
