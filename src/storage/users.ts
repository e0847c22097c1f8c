import type { User, UserStore } from '#identity/users'
import { AppError } from '#kernel/errors'
import { readBody } from './row-body.ts'
import type { Database, Engine } from './schema.ts'
import { textKey } from './text-key.ts'

/** People and programs with a password. */
export function createUserStore({ db, kind }: Engine): UserStore {
  return {
    async list({ limit, offset }) {
      const [rows, { total }] = await Promise.all([
        db.selectFrom('users').select('body').orderBy('id').limit(limit).offset(offset).execute(),
        db
          .selectFrom('users')
          .select(({ fn }) => fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow(),
      ])
      return { users: rows.map(({ body }) => userOf(body)), total }
    },
    find: (id) => findBy(db, 'id', textKey(id)),
    findByUsername: (username) => findBy(db, 'username', usernameKey(username)),
    async insert(user) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('users')
        .values({ id: textKey(user.id), username: usernameKey(user.username), ...columnsOf(user) })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow()
      if (numInsertedOrUpdatedRows === 0n) {
        const { username } = user
        throw new AppError('conflict', `A user named ${username} exists already`, { details: { username } })
      }
    },
    update: (id, change) =>
      db.transaction().execute(async (transaction) => {
        const row = await locked(transaction, kind, id)
        if (!row) throw new AppError('not_found', 'There is no such user')
        const user = { ...change(row.user), id: row.user.id, username: row.user.username }
        if (row.isLastAdministrator && !isAdministrator(user)) throw lastAdministrator()
        await transaction.updateTable('users').set(columnsOf(user)).where('id', '=', textKey(id)).execute()
        return user
      }),
    delete: (id) =>
      db.transaction().execute(async (transaction) => {
        const row = await locked(transaction, kind, id)
        if (row?.isLastAdministrator) throw lastAdministrator()
        await transaction.deleteFrom('users').where('id', '=', textKey(id)).execute()
        return row !== undefined
      }),
  }
}

interface LockedUser {
  readonly user: User
  readonly isLastAdministrator: boolean
}

/**
 * Reads the user so that nobody else changes it or an administrator before the transaction ends. On PostgreSQL the rows of
 * all administrators are locked first and in one order: of two who each would leave the other as the last, one waits and
 * then sees what the other did. On SQLite there is one transaction at a time.
 */
async function locked(db: Database, kind: Engine['kind'], id: string): Promise<LockedUser | undefined> {
  const administrators = db.selectFrom('users').select('id').where('administrator', '=', 1).orderBy('id')
  const ids = await (kind === 'postgres' ? administrators.forUpdate() : administrators).execute()
  const wanted = db.selectFrom('users').select(['id', 'body']).where('id', '=', textKey(id))
  const row = await (kind === 'postgres' ? wanted.forUpdate() : wanted).executeTakeFirst()
  if (!row) return undefined
  return { user: userOf(row.body), isLastAdministrator: ids.length === 1 && ids[0]?.id === row.id }
}

async function findBy(db: Database, column: 'id' | 'username', key: string): Promise<User | undefined> {
  const row = await db.selectFrom('users').select('body').where(column, '=', key).executeTakeFirst()
  return row && userOf(row.body)
}

function columnsOf(user: User) {
  return { administrator: isAdministrator(user) ? 1 : 0, body: JSON.stringify(user) }
}

function isAdministrator({ isActive, roles }: User): boolean {
  return isActive && roles.includes('admin')
}

function usernameKey(username: string): string {
  return textKey(username.toLowerCase())
}

function userOf(body: string): User {
  return readBody('users', body) as User
}

function lastAdministrator(): AppError {
  return new AppError('conflict', 'The last administrator cannot be removed, deactivated or lose the role admin')
}
